// Where time went: the parts of the set-up time, its distribution, and what happened when.
import { scaleLinear } from 'd3-scale';
import { area, curveStepAfter } from 'd3-shape';
import { useMemo } from 'preact/hooks';
import { Figure, Legend } from '../ui/basic';
import { Axes, Chart, Histogram, StackBars } from '../ui/chart';
import type { Scale } from '../ui/chart';
import { Plain } from '../ui/table';
import { count, duration, moment, plural, quantile } from '../format';
import type { Call, Run, RunResult, Setup } from '../types';

export const PARTS: [keyof Omit<Setup, 'crypto'> | 'crypto', string][] = [
  ['ringing_ns', 'ringing'], ['radio_ns', 'radio'], ['core_ns', 'core'], ['resent_ns', 'resent'], ['keys_ns', 'waiting for keys'],
  ['kms_ns', 'KMS'], ['crypto', 'cryptography'], ['signalling_ns', 'signalling'],
];

export function partsOf(setup: Setup): { tone: string; text: string; value: number }[] {
  return PARTS.map(([key, text], i) => ({
    tone: `p${i}`, text,
    value: key === 'crypto' ? setup.crypto.reduce((sum, c) => sum + c.computing_ns + c.queued_ns, 0) : setup[key],
  }));
}

const BARS = 24;

type Bar = { name: string; parts: { tone: string; text: string; value: number }[] };

const barOf = (name: string, call: Call): Bar => ({ name, parts: partsOf(call.setup!) });

/** A bar for each call; of many calls the mean, and those at some quantiles. */
export function barsOf(known: Call[]): Bar[] {
  if (known.length <= BARS) return known.map((c) => barOf(c.id, c));
  const sorted = [...known].sort((a, b) => a.setup_ns! - b.setup_ns!);
  const mean = partsOf(sorted[0].setup!).map((part) => ({ ...part, value: 0 }));
  for (const call of sorted) partsOf(call.setup!).forEach((part, i) => { mean[i].value += part.value / sorted.length; });
  const picks = [[0, 'fastest'], [0.5, 'median'], [0.95, '95 %'], [0.99, '99 %'], [1, 'slowest']] as const;
  return [{ name: 'mean of all', parts: mean }, ...picks.map(([q, name]) => {
    const call = sorted[Math.round(q * (sorted.length - 1))];
    return barOf(`${name}: ${call.id}`, call);
  })];
}

export function SetupParts({ calls, chosen }: { calls: Call[]; chosen: Call | null }) {
  const known = useMemo(() => calls.filter((c) => c.setup), [calls]);
  const bars = useMemo(() => (known.length ? barsOf(known) : []), [known]);
  if (!known.length) return <p class="note">No call was established, or the run did not follow where its time went.</p>;
  const rows = known.length > BARS && chosen?.setup ? [...bars, barOf(`chosen: ${chosen.id}`, chosen)] : bars;
  const used = PARTS.map(([, text], i) => ({ tone: `p${i}`, text })).filter((p) => rows.some((r) => r.parts.find((q) => q.text === p.text)!.value > 0));
  return (
    <Figure caption="From the INVITE until the call is established, along the critical path; the parts add up to the whole."
      table={<Plain caption="Parts of the set-up time" numbers={PARTS.map((_, i) => i + 1)} head={['call', ...PARTS.map(([, text]) => text)]}
        rows={rows.map((r) => [r.name, ...r.parts.map((p) => duration(p.value))])} />}>
      <Legend entries={used} />
      <StackBars label="Parts of the set-up time" rows={rows} format={duration} />
    </Figure>
  );
}

export function Distribution({ calls }: { calls: Call[] }) {
  const values = useMemo(() => calls.filter((c) => c.setup_ns !== null).map((c) => c.setup_ns! / 1e9).sort((a, b) => a - b), [calls]);
  if (values.length < 3) return <p class="note">Fewer than three calls were established: there is no distribution to show.</p>;
  const quantiles = [0.05, 0.25, 0.5, 0.75, 0.95, 0.99].map((q) => ({ q, value: quantile(values, q) }));
  return (
    <Figure caption={`${plural(values.length, 'call')}: median ${duration(quantiles[2].value * 1e9)}, 95 % within ${duration(quantiles[4].value * 1e9)}, 99 % within ${duration(quantiles[5].value * 1e9)}.`}
      table={<Plain caption="Quantiles of the set-up time" numbers={[0, 1]} head={['share of calls', 'within']}
        rows={[['0 %', duration(values[0] * 1e9)], ...quantiles.map((x) => [`${Math.round(x.q * 100)} %`, duration(x.value * 1e9)]),
          ['100 %', duration(values[values.length - 1] * 1e9)]]} />}>
      <Histogram label="Distribution of set-up times" values={values} xLabel="set-up time in seconds" yLabel="calls"
        marks={[2, 4, 5].map((i) => ({ value: quantiles[i].value, text: ['5', '25', '50', '75', '95', '99'][i] + ' %' }))} />
    </Figure>
  );
}

// ---- time lines -------------------------------------------------------------------------------------------

interface Span { tone: string; text: string; from: number; to: number }
interface Lane { name: string; spans: Span[]; dots: { at: number; text: string }[] }

function span(tone: string, text: string, from: number | null, to: number | null): Span[] {
  return from !== null && to !== null && to >= from ? [{ tone, text, from, to }] : [];
}

/** "call-7", "call first". */
export const callName = (c: Call): string => (c.id.startsWith('call') ? c.id : `call ${c.id}`);

const MANY = 12; // users

/** A lane for each of the calls and, among many users, for those of the chosen call. */
export function lanesOf(result: RunResult, run: Run | undefined, calls: Call[], chosen: Call | null): Lane[] {
  const names = [chosen?.from, chosen?.to, chosen?.answered_by];
  const users = result.users.filter((u) => result.users.length <= MANY || !chosen || names.includes(u.name)).slice(0, MANY).map((u): Lane => ({
    name: u.name,
    spans: [...span('t-register', 'registration', u.register_begin_ns, u.registered_ns),
      ...u.key_requests.flatMap((k) => span('t-keys', `key request (${k.kind})`, k.begin_ns, k.end_ns))],
    dots: (run?.states ?? []).filter((s) => run!.nodes[s.node]?.name === u.node).slice(0, 200).map((s) => ({ at: s.ns, text: s.what })),
  }));
  const lines = calls.map((c): Lane => ({
    name: callName(c),
    spans: [...span('t-setup', 'set-up until keyed', c.invite_ns, c.keyed_ns ?? c.established_ns ?? c.ended_ns),
      ...span('t-ring', 'keyed, until answered', c.keyed_ns, c.established_ns), ...span('t-up', 'established', c.established_ns, c.ended_ns ?? result.virtual_ns)],
    dots: [...(c.state === 'failed' && c.invite_ns !== null ? [{ at: c.invite_ns, text: `INVITE; ${c.failure ?? 'failed'}` }] : []),
      ...(c.first_media_ns !== null ? [{ at: c.first_media_ns, text: 'first media' }] : []),
      ...c.updates.filter((u) => u.begun_ns !== null).map((u) => ({ at: u.begun_ns!, text: `${u.do} by ${u.by}` }))],
  }));
  return [...users, ...lines];
}

/** From when to when the lanes reach, with a little room. */
function reach(lanes: Lane[], end: number): [number, number] {
  const moments = lanes.flatMap((l) => [...l.spans.flatMap((s) => [s.from, s.to]), ...l.dots.map((d) => d.at)]);
  if (!moments.length) return [0, end];
  const from = Math.min(...moments);
  const to = Math.max(...moments);
  const room = (to - from) * 0.03 || 1e9;
  return [Math.max(0, from - room), Math.min(end, to + room)];
}

export function TimeLines({ result, run, calls, chosen }: { result: RunResult; run?: Run; calls: Call[]; chosen: Call | null }) {
  const lanes = lanesOf(result, run, calls, chosen);
  const some = calls.length < result.calls.length;
  const [begin, end] = reach(some ? lanes.slice(-calls.length) : lanes, result.virtual_ns);
  const inside = (s: Span) => s.to >= begin && s.from <= end;
  const height = lanes.length * 28 + 60;
  return (
    <Figure caption={`What happened when, in seconds of virtual time${some ? `: the calls around the chosen one` : ''}. A diamond is a moment: a change of state, first media, an offer in mid call.`}
      table={<Plain caption="Time lines" numbers={[2, 3]} head={['who', 'what', 'from', 'to']}
        rows={lanes.flatMap((l) => l.spans.map((s) => [l.name, s.text, moment(s.from), moment(s.to)]))} />}>
      <Legend entries={[{ tone: 't-register', text: 'registration' }, { tone: 't-keys', text: 'key request' }, { tone: 't-setup', text: 'set-up until keyed' },
        { tone: 't-ring', text: 'keyed, not answered' }, { tone: 't-up', text: 'established' }]} />
      <Chart label="Time lines" height={height}>
        {(box) => {
          const left = Math.min(150, box.width * 0.25);
          const x = scaleLinear().domain([begin / 1e9, end / 1e9]).range([left, box.right]).clamp(true) as unknown as Scale;
          const y = scaleLinear().domain([0, 1]).range([height - 40, 4]) as unknown as Scale;
          return (
            <>
              <Axes x={x} y={Object.assign((v: number) => y(v), { ticks: () => [], domain: y.domain, range: y.range })} xLabel="seconds" yLabel="" />
              {lanes.map((lane, i) => (
                <g key={lane.name} transform={`translate(0,${6 + i * 28})`}>
                  <text x={left - 8} y="14" text-anchor="end">{lane.name.slice(0, Math.floor(left / 7.5))}</text>
                  <line class="grid" x1={left} x2={box.right} y1="24" y2="24" />
                  {lane.spans.filter(inside).map((s, k) => (
                    <rect key={k} class={`part ${s.tone}`} x={x(s.from / 1e9)} width={Math.max(2, x(s.to / 1e9) - x(s.from / 1e9))} y="3" height="16" rx="2">
                      <title>{`${lane.name}: ${s.text}, ${moment(s.from)} to ${moment(s.to)} s`}</title>
                    </rect>
                  ))}
                  {lane.dots.filter((d) => d.at >= begin && d.at <= end).map((d, k) => (
                    <path key={k} class="dot" d={`M${x(d.at / 1e9)},6l4,5l-4,5l-4,-5z`}><title>{`${moment(d.at)} s: ${d.text}`}</title></path>
                  ))}
                </g>
              ))}
            </>
          );
        }}
      </Chart>
    </Figure>
  );
}

/** How many calls were being set up or up at once. */
export function loadOf(calls: Call[]): { at: number; n: number }[] {
  const edges = calls.filter((c) => c.invite_ns !== null).flatMap((c) => [[c.invite_ns!, 1], ...(c.ended_ns !== null ? [[c.ended_ns, -1]] : [])]);
  edges.sort((a, b) => a[0] - b[0] || b[1] - a[1]);
  let n = 0;
  const steps = edges.map(([at, change]) => ({ at, n: (n += change) }));
  const every = Math.max(1, Math.ceil(steps.length / 1500));
  return steps.filter((_, i) => i % every === 0 || i === steps.length - 1);
}

export function Load({ result }: { result: RunResult }) {
  const steps = useMemo(() => loadOf(result.calls), [result]);
  if (result.calls.length < 10) return null;
  const most = steps.reduce((m, s) => Math.max(m, s.n), 0);
  return (
    <Figure caption={`Calls under way at once: at most ${count(most)}.`}>
      <Chart label={`Calls under way over time, at most ${most}`} height={200}>
        {(box) => {
          const x = scaleLinear().domain([0, result.virtual_ns / 1e9]).range([box.left, box.right]);
          const y = scaleLinear().domain([0, most]).range([box.bottom, box.top]).nice();
          const d = area<{ at: number; n: number }>().x((s) => x(s.at / 1e9)).y0(box.bottom).y1((s) => y(s.n)).curve(curveStepAfter)(steps);
          return <><Axes x={x as unknown as Scale} y={y as unknown as Scale} xLabel="seconds" yLabel="calls" /><path class="load" d={d ?? ''} /></>;
        }}
      </Chart>
    </Figure>
  );
}
