// The smaller kinds: searches for attacks, mutants, fuzzing, benchmarks.
import { useMemo, useState } from 'preact/hooks';
import { Badge, Figure, Scroll, Section, Tiles } from '../ui/basic';
import { LineChart, SeriesLegend } from '../ui/chart';
import type { Series } from '../ui/chart';
import { DataTable, Plain } from '../ui/table';
import type { Column } from '../ui/table';
import { Checks, Measures } from './checks';
import { byName, count, octets, percent, plural, short } from '../format';
import type { Head, Item, Measure, Text } from '../types';

// ---- a search for attacks -----------------------------------------------------------------------------------

interface AttackResult extends Head {
  seed: string; adversary: Text; set: string[]; rounds_planned: number; rounds: number; rules: number;
  found: { round: number; property: string; broken: string[]; detail: Text; rules_before: number; tries: number; rules: Record<string, string>[];
           file: string; run: Text; twin: Text } | null;
}

export function AttackPage({ item, hrefOf }: { item: Item; hrefOf: (dir: Text) => string | null }) {
  const r = item.result as unknown as AttackResult;
  const found = r.found;
  const link = (dir: Text, text: string) => {
    const href = hrefOf(dir);
    return href ? <a href={href}>{text}</a> : null;
  };
  const links = found ? [link(found.run, 'Its run'), link(found.twin, 'Its twin with the defence on')].filter(Boolean) : [];
  return (
    <>
      <Tiles tiles={[
        { name: 'Attacks tried', value: `${count(r.rounds)} of ${count(r.rounds_planned)}` },
        { name: 'Rules', value: count(r.rules), note: 'in all of them together' },
        { name: 'Broken', value: found ? found.property : 'nothing', tone: found ? 'bad' : 'good' },
        ...(r.set.length ? [{ name: 'Defence off', value: r.set.join(', '), tone: 'warn' as const }] : []),
      ]} />
      {found && (
        <Section id="found" title="What broke">
          <p><Badge of="fail">{found.broken.join(', ')}</Badge> {found.round ? `in round ${count(found.round)}` : 'before an adversary did anything'}{found.detail && <>: {found.detail}</>}</p>
          <p>Shortened from {plural(found.rules_before, 'rule')} to {count(found.rules.length)} in {plural(found.tries, 'run')}; <code>{found.file}</code> shows it.</p>
          {links.length > 0 && <p>{links.map((one, i) => <>{i > 0 && ' · '}{one}</>)}</p>}
          <Plain caption="Rules of the adversary that are left" head={['no.', 'rule']}
            rows={found.rules.map((rule, i) => [`${i + 1}`, Object.entries(rule).map(([k, v]) => `${k}: ${v}`).join(', ')])} />
        </Section>
      )}
      <Section id="checks" title="Security properties"><Checks item={item} /></Section>
      {item.measures.length > 0 && <Section id="measures" title="Measures"><Measures item={item} /></Section>}
    </>
  );
}

// ---- mutants ------------------------------------------------------------------------------------------------

interface Mutant { id: string; breaks: string[]; text: string; excuse: Text; verdict: string; case: Text; case_verdict: Text; requirement: Text }
interface MutantsResult extends Head { cases: number; seconds: number; tally: Record<string, number>; mutants: Mutant[] }

const MUTANT_COLUMNS: Column<Mutant>[] = [
  { id: 'verdict', head: 'verdict', cell: (m) => <Badge of={m.verdict} />, value: (m) => m.verdict, width: 17 },
  { id: 'id', head: 'mutant', cell: (m) => <code>{m.id}</code>, value: (m) => m.id, width: 34 },
  { id: 'text', head: 'the fault', cell: (m) => <>{m.text}{m.excuse && <span class="mute"> (equivalent: {m.excuse})</span>}</>, value: (m) => `${m.text} ${m.excuse ?? ''}` },
  { id: 'breaks', head: 'breaks', cell: (m) => m.breaks.join(', '), value: (m) => m.breaks.join(' '), width: 20 },
  { id: 'case', head: 'killed by', cell: (m) => <code>{m.case ?? ''}</code>, value: (m) => m.case ?? '' },
  { id: 'requirement', head: 'which named', cell: (m) => m.requirement ?? '', value: (m) => m.requirement ?? '', width: 13 },
];
const MUTANT_FACETS = [{ id: 'verdict', label: 'Verdict', of: (m: Mutant) => m.verdict }];
const MUTANT_RANK: Record<string, number> = { survived: 0, 'not equivalent': 0, elsewhere: 1, killed: 2, equivalent: 3 };

/** Found, as it should be. An "equivalent" one that a case found is none: the list is wrong, or the case is. */
const isKilled = (m: Mutant): boolean => m.verdict === 'killed' || m.verdict === 'elsewhere';

/** Which family of cases kills the faults in which document: rows are what is broken, columns what noticed. */
export function killMatrix(mutants: Mutant[]): { rows: string[]; columns: string[]; cells: number[][]; alive: number[] } {
  const documentOf = (m: Mutant) => (m.breaks[0] ?? 'other').replace(/-\d+$/, '');
  const rows = [...new Set(mutants.map(documentOf))].sort(byName);
  const columns = [...new Set(mutants.filter((m) => isKilled(m) && m.case).map((m) => m.case!.split('/')[0]))].sort(byName);
  const cells = rows.map((row) => columns.map((column) => mutants.filter((m) => documentOf(m) === row && isKilled(m) && m.case?.split('/')[0] === column).length));
  const alive = rows.map((row) => mutants.filter((m) => documentOf(m) === row && m.verdict === 'survived').length);
  return { rows, columns, cells, alive };
}

export function MutantsPage({ item }: { item: Item }) {
  const r = item.result as unknown as MutantsResult;
  const sorted = useMemo(() => [...r.mutants].sort((a, b) => (MUTANT_RANK[a.verdict] ?? 1) - (MUTANT_RANK[b.verdict] ?? 1)), [r]);
  const matrix = useMemo(() => killMatrix(r.mutants), [r]);
  const most = Math.max(1, ...matrix.cells.flat());
  const alive = r.mutants.filter((m) => m.verdict === 'survived').length;
  const wrong = r.mutants.filter((m) => m.verdict === 'not equivalent').length;
  const killed = r.mutants.filter(isKilled).length;
  const name = (row: string) => (/^\d+$/.test(row) ? `RFC ${row}` : row === 'P' ? 'profile' : row);
  return (
    <>
      <Tiles tiles={[
        { name: 'Killed', value: `${count(killed)} of ${count(killed + alive)}`, note: percent(killed, killed + alive), tone: alive ? 'bad' : 'good' },
        { name: 'Survived', value: count(alive), tone: alive ? 'bad' : 'good' },
        { name: 'Killed elsewhere', value: count(r.tally.elsewhere ?? 0), note: 'by a case that names another requirement' },
        { name: 'Equivalent', value: count(r.tally.equivalent ?? 0), note: 'and the list says why' },
        ...(wrong ? [{ name: 'Not equivalent', value: count(wrong), note: 'said to be, but a case found it', tone: 'bad' as const }] : []),
        { name: 'Cases', value: count(r.cases) },
      ]} />
      <Section id="matrix" title="Kill matrix" note="Which family of cases was the first to notice the faults in which document.">
        <Scroll label="Kill matrix">
          <table class="heat">
            <caption>Mutants killed, by what they break and what noticed</caption>
            <thead><tr><th scope="col">breaks</th>{matrix.columns.map((c) => <th key={c} scope="col">{c}</th>)}<th scope="col">survived</th></tr></thead>
            <tbody>{matrix.rows.map((row, i) => (
              <tr key={row}><th scope="row">{name(row)}</th>
                {matrix.cells[i].map((n, k) => <td key={k} class={n ? `h${Math.max(1, Math.round(6 * (n / most)))}` : 'mute'}>{n || '·'}</td>)}
                <td class={matrix.alive[i] ? 'alive' : 'mute'}>{matrix.alive[i] ? `✗ ${matrix.alive[i]}` : '·'}</td></tr>
            ))}</tbody>
          </table>
        </Scroll>
      </Section>
      <Section id="mutants" title="Mutants"><DataTable caption="Mutants, survivors first" columns={MUTANT_COLUMNS} rows={sorted} facets={MUTANT_FACETS} /></Section>
    </>
  );
}

// ---- fuzzing ------------------------------------------------------------------------------------------------

interface Sample { job: number; seconds: number | null; executions: number; edges: number; features: number | null; corpus: number; findings: number }
interface FuzzResult extends Head {
  target: string; engine: string; sanitizers: boolean; jobs: number; seconds: number; executions: number; executions_per_second: number;
  coverage: { edges: number; features: number | null }; corpus: { inputs: number; new: number }; stability: number | null;
  findings: { file: string; what: string; text: Text }[]; series: Sample[];
}

/** One line a job; libFuzzer's first second has no time, and stands at 0. */
export function jobSeries(series: Sample[], of: (s: Sample) => number | null): Series[] {
  const jobs = [...new Set(series.map((s) => s.job))].sort((a, b) => a - b);
  return jobs.map((job) => ({
    name: `job ${job}`,
    points: series.filter((s) => s.job === job && of(s) !== null).map((s) => ({ x: s.seconds ?? 0, y: of(s)! })).sort((a, b) => a.x - b.x),
  })).filter((s) => s.points.length);
}

export function FuzzPage({ item }: { item: Item }) {
  const r = item.result as unknown as FuzzResult;
  const charts: [string, string, (s: Sample) => number | null][] = [
    ['Coverage over time', 'edges', (s) => s.edges], ['Executions over time', 'executions', (s) => s.executions], ['Findings over time', 'findings', (s) => s.findings],
  ];
  return (
    <>
      <Tiles tiles={[
        { name: 'Findings', value: count(r.findings.length), tone: r.findings.length ? 'bad' : 'good' },
        { name: 'Executions', value: count(r.executions), note: `${short(r.executions_per_second, 3)} a second, ${plural(r.jobs, 'job')}` },
        { name: 'Edges', value: count(r.coverage.edges), note: r.coverage.features !== null ? `${count(r.coverage.features)} features` : undefined },
        { name: 'Corpus', value: count(r.corpus.inputs), note: `${count(r.corpus.new)} added, smaller ones in place of larger ones among them` },
        ...(r.stability !== null ? [{ name: 'Stability', value: `${short(r.stability, 3)} %` }] : []),
        { name: 'Engine', value: r.engine, note: r.sanitizers ? 'with sanitizers' : 'without sanitizers' },
      ]} />
      {r.findings.length > 0 && <Section id="findings" title="Findings"><Plain caption="What was found" head={['input', 'what', 'what was said']}
        rows={r.findings.map((f) => [<code>{f.file}</code>, <Badge of="fail">{f.what}</Badge>, f.text ?? ''])} /></Section>}
      {r.series.length > 1 && charts.map(([title, unit, of]) => {
        const series = jobSeries(r.series, of);
        return (
          <Section key={unit} id={`${unit}-over-time`} title={title}>
            <Figure caption={`${title}, from the engine's own log.`} table={<Plain caption={title} numbers={[1, 2]} head={['job', 'seconds', unit]}
              rows={series.flatMap((s) => s.points.slice(-20).map((p) => [s.name, short(p.x), count(p.y)]))} />}>
              {series.length > 1 && <SeriesLegend series={series} />}
              <LineChart label={title} series={series} xLabel="seconds" yLabel={unit} height={240} counts={unit === 'findings'} />
            </Figure>
          </Section>
        );
      })}
      <Section id="checks" title="What was judged"><Checks item={item} /></Section>
    </>
  );
}

// ---- benchmarks ---------------------------------------------------------------------------------------------

interface BenchmarkResult extends Head { timestamp?: string; machine?: Text; quick?: boolean; measures: Measure[] }

/** A time as a multiple of what counting the multiplications of the best known algorithms gives (docs/performance.md). */
const isLimit = (m: Measure): boolean => m.unit === 'ratio' && m.name.endsWith('-over-limit');
const limitName = (name: string): string => name.replace(/\/?[^/]*-over-limit$/, '');
const AIM = 1.3;

const MEASURE_COLUMNS: Column<Measure>[] = [
  { id: 'name', head: 'measure', cell: (m) => m.name, value: (m) => m.name },
  { id: 'value', head: 'value', number: true, cell: (m) => (m.unit === 'B' ? octets(m.value) : short(m.value)), value: (m) => m.value, width: 16 },
  { id: 'unit', head: 'unit', cell: (m) => m.unit ?? '', value: (m) => m.unit ?? '', width: 12 },
];

export function BenchmarkPage({ item }: { item: Item }) {
  const r = item.result as unknown as BenchmarkResult;
  const limits = r.measures.filter(isLimit);
  const worst = limits.reduce((most, m) => Math.max(most, m.value), 0);
  return (
    <>
      <Tiles tiles={[{ name: 'Machine', value: r.machine ?? 'unknown', note: r.quick ? 'a quick look: good to some 10 %' : undefined },
        ...(limits.length ? [{ name: 'Farthest from the counted limit', value: `${short(worst, 3)} times`, note: `the aim is ${AIM}`, tone: worst <= AIM ? 'good' as const : 'warn' as const }] : [])]} />
      {limits.length > 0 && <Section id="limits" title="Against the counted limit" note="1 is what counting the multiplications of the best known algorithms gives.">
        <Plain caption="Times as multiples of the counted limit" numbers={[1]} head={['operation', 'times the limit']} rows={limits.map((m) => [limitName(m.name), short(m.value, 3)])} /></Section>}
      <Section id="measures" title="Measures"><DataTable caption="Measures" columns={MEASURE_COLUMNS} rows={r.measures} /></Section>
    </>
  );
}

const stamp = (item: Item): string => (item.result as unknown as BenchmarkResult).timestamp ?? '';

/** Days where each has its own, else days with a number. */
function daysOf(results: BenchmarkResult[], names: string[]): string[] {
  const days = results.map((r, i) => r.timestamp?.slice(0, 10) ?? names[i]);
  return days.map((d, i) => (days.indexOf(d) === days.lastIndexOf(d) ? d : `${d} #${i + 1}`));
}

/** How measures went from one benchmark to the next: ratios to the limit, which machines share, and any one measure. */
export function BenchmarkHistory({ items, names }: { items: Item[]; names: string[] }) {
  const order = useMemo(() => items.map((_, i) => i).sort((a, b) => byName(stamp(items[a]), stamp(items[b])) || a - b), [items]);
  const results = order.map((i) => items[i].result as unknown as BenchmarkResult);
  const days = daysOf(results, order.map((i) => names[i]));
  const measures = [...new Set(results.flatMap((r) => r.measures.map((m) => m.name)))];
  const [chosen, setChosen] = useState(measures[0] ?? '');
  const find = (r: BenchmarkResult, name: string) => r.measures.find((m) => m.name === name);
  const line = (name: string, shown: string): Series => ({ name: shown, points: results.flatMap((r, x) => { const m = find(r, name); return m ? [{ x, y: m.value }] : []; }) });
  const limits = measures.filter((name) => results.some((r) => r.measures.some((m) => m.name === name && isLimit(m)))).map((name) => line(name, limitName(name)));
  const unitOf = (name: string) => results.map((r) => find(r, name)?.unit).find(Boolean) ?? '';
  const unit = unitOf(chosen);
  return (
    <>
      {limits.length > 0 && <Section id="limits" title="Against the counted limit">
        <Figure caption={`Times as multiples of the counted limit; the aim is ${AIM}.`}>
          <SeriesLegend series={limits} />
          <LineChart label="Ratios to the counted limit over the benchmarks" series={limits} categories={days} xLabel="benchmark" yLabel="times the limit" limit={{ value: AIM, text: `aim ${AIM}` }} />
        </Figure></Section>}
      <Section id="history" title="One measure">
        <div class="tools"><label>Measure{' '}<select value={chosen} onChange={(e) => setChosen(e.currentTarget.value)}>{measures.map((m) => <option key={m} value={m}>{m}</option>)}</select></label></div>
        <Figure caption={`${chosen}${unit && ` (${unit})`}. Machines may differ.`}>
          <LineChart label={`${chosen} over the benchmarks`} series={[line(chosen, chosen)]} categories={days} xLabel="benchmark" yLabel={unit} />
        </Figure></Section>
      <Section id="measures" title="All measures">
        <Plain caption="Measures of each benchmark" head={['measure', 'unit', ...days]} numbers={days.map((_, i) => i + 2)}
          rows={measures.map((m) => [m, unitOf(m), ...results.map((r) => { const v = find(r, m); return v ? short(v.value) : '–'; })])} />
      </Section>
    </>
  );
}
