// Conformance: every requirement by section, every case with what was sent, what came back and what is permitted.
import { useMemo } from 'preact/hooks';
import { Badge, Code, Figure, Legend, Section, Tiles } from '../ui/basic';
import { StackBars } from '../ui/chart';
import { DataTable } from '../ui/table';
import type { Column, Facet } from '../ui/table';
import { byName, count, percent, plural, short } from '../format';
import type { ConformanceCase, ConformanceResult, Item, Requirement } from '../types';

const STATUS: [string, string][] = [['held', 'good'], ['broken', 'bad'], ['not judged', 'warn'], ['skipped', 'mute'], ['not played', 'mute2'], ['not testable', 'none']];

/** The profile says itself whose section it is about: "6.1.4 of RFC 6267". */
const sectionKey = (r: Requirement) => (r.document === 'profile' ? `§${r.section}` : `${r.document} §${r.section}`);

function Detail({ c }: { c: ConformanceCase }) {
  const parts: [string, string | undefined][] = [
    ['demanded', c.requirement && `${c.requirement} (${[c.document, c.section && `§${c.section}`].filter(Boolean).join(' ')})`],
    ['sent', c.sent], ['came back', c.came_back], ['permitted', c.permitted], ['was', c.reason],
  ];
  const known = parts.filter(([, text]) => text);
  return (
    <div class="case">
      {known.length > 0 && <dl class="facts wide">{known.map(([name, text]) => <div key={name}><dt>{name}</dt><dd>{text!.length > 120 ? <Code text={text} /> : <code>{text}</code>}</dd></div>)}</dl>}
      <p class="note">tests {c.requirements.join(', ')}</p>
    </div>
  );
}

const CASE_COLUMNS: Column<ConformanceCase>[] = [
  { id: 'verdict', head: 'verdict', cell: (c) => <Badge of={c.known ? 'known' : c.verdict}>{c.known ? `known: ${c.verdict}` : c.verdict}</Badge>, value: (c) => c.verdict, width: 17 },
  { id: 'case', head: 'case', cell: (c) => <code>{c.case}</code>, value: (c) => c.case },
  { id: 'title', head: 'what it does', cell: (c) => c.title, value: (c) => `${c.title} ${c.requirements.join(' ')}` },
  { id: 'seconds', head: 'seconds', number: true, cell: (c) => c.seconds.toFixed(3), value: (c) => c.seconds, width: 10 },
];
const CASE_FACETS: Facet<ConformanceCase>[] = [
  { id: 'verdict', label: 'Verdict', of: (c) => (c.known ? 'known' : c.verdict) },
  { id: 'family', label: 'Family', of: (c) => c.case.split('/')[0] },
];

const REQUIREMENT_COLUMNS: Column<Requirement>[] = [
  { id: 'id', head: 'requirement', cell: (r) => r.id, value: (r) => r.id, width: 12 },
  { id: 'section', head: 'section', cell: sectionKey, value: sectionKey, width: 24 },
  { id: 'level', head: 'level', cell: (r) => r.level, value: (r) => r.level, width: 9 },
  { id: 'status', head: 'status', cell: (r) => <Badge of={r.status} />, value: (r) => r.status, width: 15 },
  { id: 'text', head: 'what it demands', cell: (r) => <>{r.text}{r.not_testable && <span class="mute"> (not testable: {r.not_testable})</span>}</>, value: (r) => `${r.text} ${r.not_testable ?? ''}` },
  { id: 'cases', head: 'cases passed', number: true, width: 14, value: (r) => r.passed,
    cell: (r) => { const all = r.passed + r.failed + r.skipped + r.other; return all ? `${count(r.passed)}/${count(all)}` : '–'; } },
];
const REQUIREMENT_FACETS: Facet<Requirement>[] = [
  { id: 'status', label: 'Status', of: (r) => r.status },
  { id: 'level', label: 'Level', of: (r) => r.level },
  { id: 'document', label: 'Document', of: (r) => r.document },
];

export function failedFirst(cases: ConformanceCase[]): ConformanceCase[] {
  const rank = (c: ConformanceCase) => (c.verdict === 'pass' ? 2 : c.verdict === 'skipped' || c.known ? 1 : 0);
  return cases.map((c, i) => [rank(c), i, c] as const).sort((a, b) => a[0] - b[0] || a[1] - b[1]).map(([, , c]) => c);
}

function Coverage({ requirements }: { requirements: Requirement[] }) {
  const documents = [...new Set(requirements.map((r) => r.document))].sort(byName);
  const rows = documents.map((d) => ({
    name: d, parts: STATUS.map(([text, tone]) => ({ text, tone, value: requirements.filter((r) => r.document === d && r.status === text).length })),
  }));
  const used = STATUS.filter(([text]) => requirements.some((r) => r.status === text));
  return (
    <Figure caption="Requirements of each document, by what became of them.">
      <Legend entries={used.map(([text, tone]) => ({ text, tone }))} />
      <StackBars label="Coverage of requirements" rows={rows} format={(v) => short(v)} />
    </Figure>
  );
}

export function ConformancePage({ item }: { item: Item }) {
  const r = item.result as unknown as ConformanceResult;
  const cases = useMemo(() => failedFirst(r.cases), [r]);
  const judged = r.requirements.filter((q) => q.status === 'held' || q.status === 'broken');
  const held = judged.filter((q) => q.status === 'held').length;
  const must = judged.filter((q) => q.level === 'MUST');
  const testable = r.requirements.filter((q) => q.status !== 'not testable').length;
  return (
    <>
      <Tiles tiles={[
        { name: 'Cases passed', value: `${count(r.verdicts.pass ?? 0)} of ${count(r.cases.length)}`, tone: (r.verdicts.pass ?? 0) === r.cases.length ? 'good' : undefined },
        { name: 'Requirements held', value: `${count(held)} of ${count(judged.length)}`, note: 'judged', tone: held === judged.length ? 'good' : 'bad' },
        { name: 'MUST held', value: `${count(must.filter((q) => q.status === 'held').length)} of ${count(must.length)}`, note: 'judged' },
        { name: 'Coverage', value: percent(judged.length, testable), note: `of ${plural(testable, 'testable requirement')}` },
        ...Object.entries(r.verdicts).filter(([v, n]) => v !== 'pass' && n > 0).map(([v, n]) => ({ name: v, value: count(n), tone: v === 'skipped' ? undefined : 'bad' as const })),
      ]} />
      <Section id="coverage" title="Coverage of requirements"><Coverage requirements={r.requirements} /></Section>
      <Section id="requirements" title="Requirements">
        <DataTable caption="Requirements by document and section" columns={REQUIREMENT_COLUMNS} rows={r.requirements} facets={REQUIREMENT_FACETS}
          detail={(q) => <RequirementCases requirement={q} cases={r.cases} />} name={(q) => q.id} />
      </Section>
      <Section id="cases" title="Cases" note="Open a case to see what was sent, what came back and what is permitted.">
        <DataTable caption="Cases, failures first" columns={CASE_COLUMNS} rows={cases} facets={CASE_FACETS} detail={(c) => <Detail c={c} />} name={(c) => c.case} />
      </Section>
    </>
  );
}

function RequirementCases({ requirement, cases }: { requirement: Requirement; cases: ConformanceCase[] }) {
  const of = failedFirst(cases.filter((c) => c.requirements.includes(requirement.id)));
  if (!of.length) return <p class="note">No case of this run tests it.{requirement.not_testable && ` Not testable: ${requirement.not_testable}`}</p>;
  return (
    <ul class="cases">
      {of.slice(0, 40).map((c) => <li key={c.case}><Badge of={c.verdict} /> <code>{c.case}</code>{c.requirement === requirement.id && c.reason && `: ${c.reason}`}</li>)}
      {of.length > 40 && <li class="mute">and {count(of.length - 40)} more</li>}
    </ul>
  );
}

// ---- several implementations, or two runs of one ----------------------------------------------------------

interface Compared { id: string; section: string; level: string; text: string; status: string[] }

export function compareRequirements(results: ConformanceResult[]): Compared[] {
  const all = new Map<string, Compared>();
  results.forEach((r, i) => {
    for (const q of r.requirements) {
      const row = all.get(q.id) ?? { id: q.id, section: sectionKey(q), level: q.level, text: q.text, status: results.map(() => 'not played') };
      row.status[i] = q.status;
      all.set(q.id, row);
    }
  });
  return [...all.values()];
}

interface ComparedCase { name: string; verdicts: string[] }

export function compareCases(results: ConformanceResult[]): ComparedCase[] {
  const all = new Map<string, ComparedCase>();
  results.forEach((r, i) => {
    for (const c of r.cases) {
      const row = all.get(c.case) ?? { name: c.case, verdicts: results.map(() => 'not played') };
      row.verdicts[i] = c.verdict;
      all.set(c.case, row);
    }
  });
  return [...all.values()];
}

const differ = (list: string[]): string => (new Set(list).size > 1 ? 'differ' : 'agree');
const COMPARED_FACETS: Facet<Compared>[] = [
  { id: 'same', label: 'Implementations', of: (r) => differ(r.status) },
  { id: 'level', label: 'Level', of: (r) => r.level },
];
const COMPARED_CASE_FACETS: Facet<ComparedCase>[] = [
  { id: 'same', label: 'Implementations', of: (r) => differ(r.verdicts) },
  { id: 'family', label: 'Family', of: (r) => r.name.split('/')[0] },
];

export function ConformanceComparison({ items, names }: { items: Item[]; names: string[] }) {
  const results = items.map((i) => i.result as unknown as ConformanceResult);
  const requirements = useMemo(() => compareRequirements(results).sort((a, b) => differ(b.status).localeCompare(differ(a.status))), [items]);
  const cases = useMemo(() => compareCases(results).sort((a, b) => differ(b.verdicts).localeCompare(differ(a.verdicts))), [items]);
  const columns: Column<Compared>[] = [
    { id: 'id', head: 'requirement', cell: (r) => r.id, value: (r) => r.id, width: 12 },
    { id: 'section', head: 'section', cell: (r) => r.section, value: (r) => r.section, width: 22 },
    { id: 'level', head: 'level', cell: (r) => r.level, value: (r) => r.level, width: 9 },
    ...names.map((name, i): Column<Compared> => ({ id: `s${i}`, head: name, cell: (r) => <Badge of={r.status[i]} />, value: (r) => r.status[i], width: 18 })),
    { id: 'text', head: 'what it demands', cell: (r) => r.text, value: (r) => r.text },
  ];
  const caseColumns: Column<ComparedCase>[] = [
    { id: 'name', head: 'case', cell: (r) => <code>{r.name}</code>, value: (r) => r.name, width: 50 },
    ...names.map((name, i): Column<ComparedCase> => ({ id: `v${i}`, head: name, cell: (r) => <Badge of={r.verdicts[i]} />, value: (r) => r.verdicts[i], width: 18 })),
  ];
  return (
    <>
      <Tiles tiles={names.map((name, i) => {
        const judged = results[i].requirements.filter((q) => q.status === 'held' || q.status === 'broken');
        return { name, value: `${judged.filter((q) => q.status === 'held').length} of ${judged.length}`, note: 'requirements held' };
      })} />
      <Section id="requirements" title="Requirements side by side" note={`${count(requirements.filter((r) => differ(r.status) === 'differ').length)} differ; they stand first.`}>
        <DataTable caption="Requirements of each implementation" columns={columns} rows={requirements} facets={COMPARED_FACETS} />
      </Section>
      <Section id="cases" title="Cases side by side" note={`${count(cases.filter((r) => differ(r.verdicts) === 'differ').length)} differ; they stand first.`}>
        <DataTable caption="Cases of each implementation" columns={caseColumns} rows={cases} facets={COMPARED_CASE_FACETS} />
      </Section>
    </>
  );
}
