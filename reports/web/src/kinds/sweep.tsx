// Sweeps: the grid of parameters, response curves with their confidence intervals, and the points that stand apart.
import { useMemo, useState } from 'preact/hooks';
import { Badge, Figure, Scroll, Section, Tiles } from '../ui/basic';
import { LineChart, SeriesLegend } from '../ui/chart';
import type { Series } from '../ui/chart';
import { DataTable, Plain } from '../ui/table';
import type { Column } from '../ui/table';
import { byName, count, quantile, short } from '../format';
import type { Head, Item } from '../types';

export type Scalar = string | number | boolean | null;
export interface Spread { n: number; mean: number | null; half_width: number | null; min: number | null; max: number | null }
export interface Point {
  index: number; parameters: Record<string, Scalar>; seed: string; verdict: string; measures: Record<string, number | null>; dir: string | null;
}
export interface SweepResult extends Head {
  scenario?: string | null; points_planned?: number;
  parameters: { name: string; values: Scalar[] }[];
  units?: Record<string, string>; // of the measures; "": a plain number
  points: Point[];
  summary: { parameters: Record<string, Scalar>; measures: Record<string, Spread> }[];
}

/** "2 %" and "20 ms" are numbers with a unit; null if a value has no number at its begin. */
export function numberOf(value: Scalar): number | null {
  if (typeof value === 'number') return value;
  const found = typeof value === 'string' ? /^\s*(-?\d+(?:\.\d+)?(?:e-?\d+)?)/.exec(value) : null;
  return found ? Number(found[1]) : null;
}

/** All numbers, and with the same unit: then they are places on an axis, else names side by side. */
export function isScale(values: Scalar[]): boolean {
  const units = new Set(values.map((v) => (typeof v === 'string' ? v.replace(/^[\s\d.e+-]+/, '') : '')));
  return values.every((v) => numberOf(v) !== null) && units.size === 1;
}

/** Points that lie outside the quartiles of their own combination by more than 1.5 times their distance. */
export function outliers(points: Point[], measure: string, names: string[]): Set<Point> {
  const groups = new Map<string, Point[]>();
  for (const p of points) {
    const key = JSON.stringify(names.map((n) => p.parameters[n]));
    groups.set(key, [...(groups.get(key) ?? []), p]);
  }
  const out = new Set<Point>();
  for (const group of groups.values()) {
    const values = group.map((p) => p.measures[measure]).filter((v): v is number => typeof v === 'number').sort((a, b) => a - b);
    if (values.length < 4) continue;
    const low = quantile(values, 0.25);
    const high = quantile(values, 0.75);
    const reach = 1.5 * (high - low);
    for (const p of group) {
      const v = p.measures[measure];
      if (typeof v === 'number' && (v < low - reach || v > high + reach)) out.add(p);
    }
  }
  return out;
}

export function curves(r: SweepResult, measure: string, along: string, by: string): Series[] {
  const values = r.parameters.find((p) => p.name === along)!.values;
  const scale = isScale(values);
  const lines = new Map<string, Series>();
  for (const s of r.summary) {
    const spread = s.measures[measure];
    if (!spread || spread.mean === null) continue;
    const rest = r.parameters.filter((p) => p.name !== along && (p.name === by || p.values.length > 1));
    const name = rest.length ? rest.map((p) => `${p.name} ${String(s.parameters[p.name])}`).join(', ') : measure;
    const line = lines.get(name) ?? { name, points: [] };
    const x = scale ? numberOf(s.parameters[along])! : values.findIndex((v) => v === s.parameters[along]);
    const half = spread.half_width;
    line.points.push({ x, y: spread.mean, title: `${name}, ${along} ${String(s.parameters[along])}: ${short(spread.mean)}${half !== null ? ` ± ${short(half)}` : ''} (n ${spread.n})`,
      ...(half !== null ? { low: spread.mean - half, high: spread.mean + half } : {}) });
    lines.set(name, line);
  }
  for (const line of lines.values()) line.points.sort((a, b) => a.x - b.x);
  return [...lines.values()].sort((a, b) => byName(a.name, b.name));
}

/** "setup (s)" */
export const withUnit = (r: SweepResult, measure: string): string => (r.units?.[measure] ? `${measure} (${r.units[measure]})` : measure);

const MOST_LINES = 12;

function Picker(props: { label: string; value: string; options: string[]; set: (v: string) => void; text?: (option: string) => string }) {
  return (
    <label>{props.label}{' '}
      <select value={props.value} onChange={(e) => props.set(e.currentTarget.value)}>
        {props.options.map((o) => <option key={o} value={o}>{props.text?.(o) ?? o}</option>)}
      </select>
    </label>
  );
}

/** One cell for each combination of two parameters, as dark as its mean is high. */
function Grid({ r, measure, across, down }: { r: SweepResult; measure: string; across: string; down: string }) {
  const xs = r.parameters.find((p) => p.name === across)!.values;
  const ys = down ? r.parameters.find((p) => p.name === down)!.values : [null];
  const cell = (x: Scalar, y: Scalar) => {
    const fits = r.summary.filter((s) => s.parameters[across] === x && (!down || s.parameters[down] === y));
    const spreads = fits.map((s) => s.measures[measure]).filter((s): s is Spread => !!s && s.mean !== null);
    const n = spreads.reduce((sum, s) => sum + s.n, 0);
    return n ? spreads.reduce((sum, s) => sum + s.mean! * s.n, 0) / n : null;
  };
  const means = xs.flatMap((x) => ys.map((y) => cell(x, y))).filter((v): v is number => v !== null);
  const low = Math.min(...means);
  const span = Math.max(...means) - low || 1;
  return (
    <Scroll label="Grid of parameters">
      <table class="heat">
        <caption>Mean of {withUnit(r, measure)}; the stronger the colour, the higher. ✗ counts the points that did not pass.</caption>
        <thead><tr><th scope="col">{down || 'all'} \ {across}</th>{xs.map((x) => <th key={String(x)} scope="col">{String(x)}</th>)}</tr></thead>
        <tbody>
          {ys.map((y) => (
            <tr key={String(y)}>
              <th scope="row">{y === null ? '' : String(y)}</th>
              {xs.map((x) => {
                const v = cell(x, y);
                const bad = r.points.filter((p) => p.parameters[across] === x && (!down || p.parameters[down] === y) && p.verdict !== 'pass').length;
                return <td key={String(x)} class={v === null ? 'mute' : `h${Math.round(6 * ((v - low) / span))}`}>{v === null ? '–' : short(v, 3)}{bad > 0 && <sup title={`${bad} not passed`}>✗{bad}</sup>}</td>;
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

export function SweepPage({ item }: { item: Item }) {
  const r = item.result as unknown as SweepResult;
  const names = r.parameters.map((p) => p.name);
  const measures = useMemo(() => [...new Set(r.points.flatMap((p) => Object.keys(p.measures)))], [r]);
  const [measure, setMeasure] = useState(measures[0] ?? '');
  const [along, setAlong] = useState(() => [...r.parameters].sort((a, b) => Number(isScale(b.values)) - Number(isScale(a.values)) || b.values.length - a.values.length)[0]?.name ?? '');
  const [by, setBy] = useState(() => names.find((n) => n !== along) ?? '');
  const apart = useMemo(() => outliers(r.points, measure, names), [r, measure]);
  const lines = along ? curves(r, measure, along, by) : [];
  const values = r.parameters.find((p) => p.name === along)?.values ?? [];
  const columns: Column<Point>[] = [
    { id: 'index', head: 'point', number: true, cell: (p) => count(p.index), value: (p) => p.index, width: 8 },
    ...names.map((n): Column<Point> => ({ id: `p-${n}`, head: n, cell: (p) => String(p.parameters[n]), value: (p) => numberOf(p.parameters[n]) ?? String(p.parameters[n]), width: 14 })),
    { id: 'seed', head: 'seed', cell: (p) => p.seed, value: (p) => p.seed, width: 10 },
    { id: 'verdict', head: 'verdict', cell: (p) => <Badge of={p.verdict} />, value: (p) => p.verdict, width: 11 },
    ...measures.map((m): Column<Point> => ({ id: `m-${m}`, head: withUnit(r, m), number: true, cell: (p) => (typeof p.measures[m] === 'number' ? short(p.measures[m]!) : '–'), value: (p) => p.measures[m], width: 16 })),
    { id: 'apart', head: 'stands apart', cell: (p) => (apart.has(p) ? <strong>outlier</strong> : ''), value: (p) => (apart.has(p) ? 'outlier' : ''), width: 13 },
    ...(r.points.some((p) => p.dir) ? [{ id: 'dir', head: 'run', cell: (p: Point) => (p.dir ? <a href={encodeURI(`${item.dir ? item.dir.replace(/\/$/, '') + '/' : ''}${p.dir}/result.json`)}>{p.dir}</a> : ''), value: (p: Point) => p.dir ?? '', width: 24 }] : []),
  ];
  const bad = r.points.filter((p) => p.verdict !== 'pass').length;
  const planned = r.points_planned ?? r.points.length;
  return (
    <>
      <Tiles tiles={[
        { name: 'Points', value: `${count(r.points.length)} of ${count(planned)}`, note: planned > r.points.length ? 'interrupted' : undefined, tone: planned > r.points.length ? 'warn' : undefined },
        { name: 'Not passed', value: count(bad), tone: bad ? 'bad' : 'good' },
        { name: 'Combinations', value: count(r.summary.length) },
        { name: 'Outliers', value: count(apart.size), note: `in ${measure}` },
      ]} />
      <Section id="curves" title="Response curves">
        <div class="tools">
          <Picker label="Measure" value={measure} options={measures} set={setMeasure} text={(m) => withUnit(r, m)} />
          {names.length > 1 && <Picker label="Along" value={along} options={names} set={(v) => { setAlong(v); if (v === by) setBy(along); }} />}
          {names.length > 1 && <Picker label="Grid down" value={by} options={names.filter((n) => n !== along)} set={setBy} />}
        </div>
        {!lines.length && <p class="note">No point has this measure.</p>}
        {lines.length > 0 && <Figure caption={`Mean of ${withUnit(r, measure)} with 95 % confidence intervals over the seeds.${lines.length > MOST_LINES ? ` The first ${MOST_LINES} of ${lines.length} combinations.` : ''}`}
          table={<Plain caption={`Mean of ${withUnit(r, measure)}`} numbers={[2, 3]} head={['combination', along, 'mean', '± (95 %)']}
            rows={lines.flatMap((l) => l.points.map((p) => [l.name, isScale(values) ? short(p.x) : String(values[p.x]), short(p.y), p.high !== undefined ? short(p.high - p.y) : '–']))} />}>
          <SeriesLegend series={lines.slice(0, MOST_LINES)} />
          <LineChart label={`${measure} along ${along}`} series={lines.slice(0, MOST_LINES)} xLabel={along + (isScale(values) && typeof values[0] === 'string' ? ` (${values[0].replace(/^[\s\d.e+-]+/, '')})` : '')}
            yLabel={withUnit(r, measure)} categories={isScale(values) ? undefined : values.map(String)} apart={!isScale(values)} />
        </Figure>}
      </Section>
      <Section id="grid" title="Grid of parameters">{along && <Grid r={r} measure={measure} across={along} down={by} />}</Section>
      <Section id="points" title="Points" note="Each is a run of its own.">
        <DataTable caption="Points of the sweep" columns={columns} rows={r.points} facets={POINT_FACETS} />
      </Section>
    </>
  );
}

const POINT_FACETS = [{ id: 'verdict', label: 'Verdict', of: (p: Point) => p.verdict }];
