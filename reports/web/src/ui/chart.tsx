// Charts: axes, lines with their intervals, bars. Scales and curves are d3's; what is drawn is plain SVG.
import { scaleLinear, scaleLog, scalePoint } from 'd3-scale';
import { area, curveLinear, curveStepAfter, line } from 'd3-shape';
import type { ComponentChildren } from 'preact';
import { useWidth } from './hooks';
import { axis, short } from '../format';

export interface Scale { (value: number): number; ticks: (n?: number) => number[]; domain: () => number[]; range: () => number[] }

const MARGIN = { top: 12, right: 16, bottom: 40, left: 76 };

export function Axes(props: {
  x: Scale; y: Scale; xLabel: string; yLabel: string; xFormat?: (v: number) => string; yFormat?: (v: number) => string; whole?: boolean;
}) {
  const { x, y, xFormat = axis, yFormat = axis } = props;
  const [left, right] = x.range();
  const [bottom, top] = y.range();
  const xs = x.ticks(Math.max(2, Math.floor((right - left) / 90)));
  const ys = y.ticks(5).filter((v) => !props.whole || Number.isInteger(v)); // half a finding is none
  return (
    <g class="axes">
      {ys.map((v) => (
        <g key={v} transform={`translate(0,${y(v)})`}>
          <line x1={left} x2={right} class="grid" />
          <text x={left - 8} dy="0.32em" text-anchor="end">{yFormat(v)}</text>
        </g>
      ))}
      {xs.map((v) => (
        <g key={v} transform={`translate(${x(v)},${bottom})`}>
          <line y2="5" class="tick" />
          <text y="18" text-anchor="middle">{xFormat(v)}</text>
        </g>
      ))}
      <line x1={left} x2={right} y1={bottom} y2={bottom} class="base" />
      <text class="label" x={(left + right) / 2} y={bottom + 35} text-anchor="middle">{props.xLabel}</text>
      <text class="label" transform={`translate(14,${(top + bottom) / 2}) rotate(-90)`} text-anchor="middle">{props.yLabel}</text>
    </g>
  );
}

/** An SVG as wide as its place, with room for axes; `children` is given the scales' ranges. */
export function Chart(props: {
  label: string; height?: number;
  children: (box: { left: number; right: number; top: number; bottom: number; width: number }) => ComponentChildren;
}) {
  const [ref, width] = useWidth<HTMLDivElement>();
  const height = props.height ?? 280;
  const box = { left: MARGIN.left, right: width - MARGIN.right, top: MARGIN.top, bottom: height - MARGIN.bottom, width };
  return (
    <div ref={ref} class="chart">
      <svg width={width} height={height} viewBox={`0 0 ${width} ${height}`} role="img" aria-label={props.label}>{props.children(box)}</svg>
    </div>
  );
}

export interface Point { x: number; y: number; low?: number; high?: number; title?: string; mark?: boolean }
export interface Series { name: string; points: Point[] }

// Lines differ by colour, dashes and the shape of their points.
const DASHES = ['', '7 4', '2 4', '9 3 2 3', '4 2', '12 4'];
const SHAPES = ['M-4,0A4,4 0 1,0 4,0A4,4 0 1,0 -4,0', 'M-4,-4H4V4H-4Z', 'M0,-5L5,4H-5Z', 'M0,-5L5,0L0,5L-5,0Z', 'M-5,-1.5H-1.5V-5H1.5V-1.5H5V1.5H1.5V5H-1.5V1.5H-5Z', 'M0,5L5,-4H-5Z'];

export function SeriesLegend({ series }: { series: Series[] }) {
  return (
    <ul class="legend">
      {series.map((s, i) => (
        <li key={s.name}>
          <svg width="34" height="12" aria-hidden="true" class={`series s${i % 6}`}>
            <line x1="0" x2="34" y1="6" y2="6" stroke-dasharray={DASHES[i % 6]} />
            <path d={SHAPES[i % 6]} transform="translate(17,6)" />
          </svg> {s.name}
        </li>
      ))}
    </ul>
  );
}

function extent(values: number[], zero: boolean): [number, number] {
  const good = values.filter(Number.isFinite);
  const low = Math.min(...good, ...(zero ? [0] : []));
  const high = Math.max(...good, ...(zero ? [0] : []));
  return low === high ? [low - (zero ? 0 : Math.abs(low) / 2 || 1), high + (Math.abs(high) / 2 || 1)] : [low, high];
}

export function LineChart(props: {
  label: string; series: Series[]; xLabel: string; yLabel: string; xFormat?: (v: number) => string; yFormat?: (v: number) => string;
  log?: boolean; limit?: { value: number; text: string }; height?: number; categories?: string[]; zero?: boolean; counts?: boolean;
  apart?: boolean; // categories without an order: points beside each other, and no line between them
}) {
  const all = props.series.flatMap((s) => s.points);
  const xs = all.map((p) => p.x);
  const logarithmic = props.log && all.every((p) => p.y > 0);
  const [y0, y1] = extent([...all.flatMap((p) => [p.y, p.low ?? p.y, p.high ?? p.y]), ...(props.limit ? [props.limit.value] : [])],
    !logarithmic && props.zero !== false);
  const markers = all.length <= 50;
  return (
    <Chart label={props.label} height={props.height}>
      {(box) => {
        const points = props.categories && scalePoint<number>().domain(props.categories.map((_, i) => i)).range([box.left, box.right]).padding(0.5);
        const linear = scaleLinear().domain(extent(xs, false)).range([box.left, box.right]);
        const x = (points ? Object.assign((v: number) => points(v)!, { ticks: () => points.domain(), domain: () => [0, 1], range: () => points.range() })
          : linear) as Scale;
        const y = (logarithmic ? scaleLog() : scaleLinear()).domain([y0, y1]).range([box.bottom, box.top]).nice(5) as unknown as Scale;
        const path = line<Point>().x((p) => x(p.x)).y((p) => y(p.y)).curve(props.counts ? curveStepAfter : curveLinear);
        const band = area<Point>().x((p) => x(p.x)).y0((p) => y(p.low ?? p.y)).y1((p) => y(p.high ?? p.y));
        return (
          <>
            <Axes x={x} y={y} xLabel={props.xLabel} yLabel={props.yLabel} yFormat={props.yFormat} whole={props.counts}
              xFormat={props.categories ? (v) => props.categories![v] : props.xFormat} />
            {props.limit && <g class="limit">
              <line x1={box.left} x2={box.right} y1={y(props.limit.value)} y2={y(props.limit.value)} />
              <text x={box.right} y={y(props.limit.value) - 5} text-anchor="end">{props.limit.text}</text>
            </g>}
            {props.series.map((s, i) => (
              <g key={s.name} class={`series s${i % 6}`} transform={props.apart ? `translate(${(i - (props.series.length - 1) / 2) * 12},0)` : undefined}>
                {!props.apart && s.points.some((p) => p.low !== undefined) && <path class="band" d={band(s.points) ?? ''} />}
                {s.points.map((p) => p.low !== undefined && (
                  <path key={p.x} class="whisker" d={`M${x(p.x) - 4},${y(p.low)}h8m-4,0V${y(p.high!)}m-4,0h8`} />
                ))}
                {!props.apart && <path class="line" d={path(s.points) ?? ''} stroke-dasharray={DASHES[i % 6]} />}
                {(markers || props.apart) && s.points.map((p) => (
                  <path key={p.x} class={p.mark ? 'point marked' : 'point'} d={SHAPES[i % 6]} transform={`translate(${x(p.x)},${y(p.y)})`}>
                    <title>{p.title ?? `${s.name}: ${short(p.y)}`}</title>
                  </path>
                ))}
              </g>
            ))}
          </>
        );
      }}
    </Chart>
  );
}

export interface Bin { from: number; to: number; n: number }

export function bins(values: number[], most = 40): Bin[] {
  if (!values.length) return [];
  let low = values[0];
  let high = values[0];
  for (const v of values) {
    if (v < low) low = v;
    if (v > high) high = v;
  }
  if (low === high) return [{ from: low, to: high, n: values.length }];
  const scale = scaleLinear().domain([low, high]).nice(Math.min(most, Math.ceil(Math.sqrt(values.length))));
  const edges = scale.ticks(Math.min(most, Math.max(5, Math.ceil(Math.sqrt(values.length)))));
  const step = edges[1] - edges[0];
  const out = edges.slice(0, -1).map((from) => ({ from, to: from + step, n: 0 }));
  for (const v of values) out[Math.min(out.length - 1, Math.max(0, Math.floor((v - edges[0]) / step)))].n++;
  return out;
}

export function Histogram(props: {
  label: string; values: number[]; xLabel: string; yLabel: string; marks: { value: number; text: string }[]; xFormat?: (v: number) => string;
}) {
  const list = bins(props.values);
  const most = Math.max(...list.map((b) => b.n));
  return (
    <Chart label={props.label} height={260}>
      {(box) => {
        const x = scaleLinear().domain([list[0].from, list[list.length - 1].to]).range([box.left, box.right]) as unknown as Scale;
        const y = scaleLinear().domain([0, most]).range([box.bottom, box.top + 24]).nice() as unknown as Scale;
        return (
          <>
            <Axes x={x} y={y} xLabel={props.xLabel} yLabel={props.yLabel} xFormat={props.xFormat} />
            {list.map((b) => (
              <rect key={b.from} class="bar" x={x(b.from) + 0.5} width={Math.max(1, x(b.to) - x(b.from) - 1)} y={y(b.n)} height={box.bottom - y(b.n)}>
                <title>{`${short(b.from)} to ${short(b.to)}: ${b.n}`}</title>
              </rect>
            ))}
            {props.marks.map((m, i) => (
              <g key={m.text} class="quantile">
                <line x1={x(m.value)} x2={x(m.value)} y1={box.top + 6 + 11 * (i % 2)} y2={box.bottom} />
                <text x={x(m.value) + 4} y={box.top + 10 + 11 * (i % 2)}>{m.text}</text>
              </g>
            ))}
          </>
        );
      }}
    </Chart>
  );
}

/** Parts of a whole, one bar a row, all to the same scale. */
export function StackBars(props: {
  label: string; rows: { name: string; parts: { tone: string; text: string; value: number }[] }[]; format: (v: number) => string;
}) {
  const [ref, width] = useWidth<HTMLDivElement>();
  const left = Math.min(180, Math.max(70, width * 0.24));
  const most = Math.max(...props.rows.map((r) => r.parts.reduce((sum, p) => sum + p.value, 0)), 1e-9);
  const x = scaleLinear().domain([0, most]).range([left, width - 80]);
  return (
    <div ref={ref} class="chart">
      <svg width={width} height={props.rows.length * 30 + 6} role="img" aria-label={props.label}>
        {props.rows.map((row, i) => {
          let at = 0;
          return (
            <g key={row.name} transform={`translate(0,${i * 30 + 3})`}>
              <text x={left - 8} y="15" text-anchor="end">{row.name.length * 7 > left ? row.name.slice(0, Math.floor(left / 7) - 1) + '…' : row.name}</text>
              {row.parts.filter((p) => p.value > 0).map((p) => {
                const begin = at;
                at += p.value;
                return (
                  <rect key={p.text} class={`part ${p.tone}`} x={x(begin)} width={Math.max(0.5, x(at) - x(begin) - 1)} height="22" rx="1">
                    <title>{`${row.name}: ${p.text} ${props.format(p.value)}`}</title>
                  </rect>
                );
              })}
              <text class="num" x={x(at) + 6} y="15">{props.format(at)}</text>
            </g>
          );
        })}
      </svg>
    </div>
  );
}
