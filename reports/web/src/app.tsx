// The frame of the page: header, the list of items, what is shown of them, what they were made with.
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { ComponentChildren, RefObject } from 'preact';
import { Badge, Section } from './ui/basic';
import { DataTable, Plain } from './ui/table';
import type { Column } from './ui/table';
import { useRoute } from './ui/hooks';
import { RunPage } from './run/run';
import { Checks, Measures } from './kinds/checks';
import { ConformanceComparison, ConformancePage } from './kinds/conformance';
import { SweepPage } from './kinds/sweep';
import { AttackPage, BenchmarkHistory, BenchmarkPage, FuzzPage, MutantsPage } from './kinds/others';
import { RunComparison } from './compare';
import { count } from './format';
import { KIND_NAMES, VERDICT_WORDS, itemAt, kindOf, labels, subjectOf, titleOf, twinOf, verdictOf } from './model';
import type { Kind } from './model';
import type { Item, Text } from './types';

type Theme = 'system' | 'light' | 'dark';

function ThemePicker() {
  const [theme, setTheme] = useState<Theme>(() => (document.documentElement.dataset.theme as Theme) ?? 'system');
  const choose = (next: Theme) => {
    setTheme(next);
    if (next === 'system') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = next;
  };
  return (
    <label class="theme">Colours{' '}
      <select value={theme} onChange={(e) => choose(e.currentTarget.value as Theme)}>
        <option value="system">as the system</option><option value="light">light</option><option value="dark">dark</option>
      </select>
    </label>
  );
}

interface Line { index: number; item: Item; label: string; kind: Kind; failed: number; checks: number }

function linesOf(items: Item[]): Line[] {
  const names = labels(items);
  return items.map((item, index) => {
    const { checks } = item;
    return { index, item, label: names[index], kind: kindOf(item.result), checks: checks.length,
      failed: checks.filter((c) => c.outcome === 'fail' || c.outcome === 'error').length };
  });
}

const LINE_COLUMNS: Column<Line>[] = [
  { id: 'verdict', head: 'verdict', cell: (l) => <Badge of={verdictOf(l.item)} />, value: (l) => verdictOf(l.item), width: 12 },
  { id: 'title', head: 'result', cell: (l) => <a href={`#/${l.index}`}>{l.label}</a>, value: (l) => l.label },
  { id: 'kind', head: 'kind', cell: (l) => KIND_NAMES[l.kind], value: (l) => l.kind, width: 20 },
  { id: 'subject', head: 'subject', cell: (l) => <code>{subjectOf(l.item.result)}</code>, value: (l) => subjectOf(l.item.result), width: 44 },
  { id: 'failed', head: 'failed', number: true, cell: (l) => count(l.failed), value: (l) => l.failed, width: 10 },
  { id: 'checks', head: 'checks', number: true, cell: (l) => count(l.checks), value: (l) => l.checks, width: 10 },
];
const LINE_FACETS = [{ id: 'kind', label: 'Kind', of: (l: Line) => KIND_NAMES[l.kind] }, { id: 'verdict', label: 'Verdict', of: (l: Line) => verdictOf(l.item) }];

/** What can be laid side by side: pairs of twins, all conformance results, all benchmarks. */
export function comparisons(items: Item[]): { href: string; text: string }[] {
  const out: { href: string; text: string }[] = [];
  const names = labels(items);
  items.forEach((_, i) => {
    const twin = twinOf(items, i);
    if (twin > i || (twin >= 0 && twinOf(items, twin) !== i)) out.push({ href: `#/compare/${i}/${twin}`, text: `${names[i]} beside ${names[twin]}` });
  });
  for (const [kind, text] of [['conformance', 'All implementations side by side'], ['benchmark', 'History of the benchmarks']] as const) {
    const of = items.map((item, i) => [item, i] as const).filter(([item]) => kindOf(item.result) === kind);
    if (of.length > 1) out.push({ href: `#/compare/${of.map(([, i]) => i).join('/')}`, text });
  }
  return out;
}

function Overview({ items }: { items: Item[] }) {
  const lines = useMemo(() => linesOf(items), [items]);
  const pairs = useMemo(() => comparisons(items), [items]);
  return (
    <>
      <Section id="results" title="Results"><DataTable caption="Results in this report" columns={LINE_COLUMNS} rows={lines} facets={LINE_FACETS} /></Section>
      {pairs.length > 0 && <Section id="comparisons" title="Side by side"><ul>{pairs.slice(0, 100).map((p) => <li key={p.href}><a href={p.href}>{p.text}</a></li>)}</ul></Section>}
    </>
  );
}

function linkTo(items: Item[], from: Item, dir: Text): string | null {
  const index = itemAt(items, from, dir);
  return index < 0 ? null : `#/${index}`;
}

function Body({ items, index, call }: { items: Item[]; index: number; call: number | null }) {
  const item = items[index];
  switch (kindOf(item.result)) {
    case 'run': return <RunPage item={item} base={`/${index}`} callIndex={call} />;
    case 'conformance': return <ConformancePage item={item} />;
    case 'sweep': return <SweepPage item={item} />;
    case 'attack': return <AttackPage item={item} hrefOf={(dir) => linkTo(items, item, dir)} />;
    case 'mutants': return <MutantsPage item={item} />;
    case 'fuzz': return <FuzzPage item={item} />;
    case 'benchmark': return <BenchmarkPage item={item} />;
    default: return (
      <>
        <Section id="checks" title="What was judged"><Checks item={item} /></Section>
        <Section id="measures" title="Measures"><Measures item={item} /></Section>
      </>
    );
  }
}

function Heading({ item }: { item: Item }) {
  const { result } = item;
  const run = result as unknown as { seed?: string; parameters?: unknown; virtual_ns?: number };
  const facts = [
    KIND_NAMES[kindOf(result)], subjectOf(result), run.seed && `seed ${run.seed}`, typeof run.parameters === 'string' && run.parameters,
    run.virtual_ns && `${(run.virtual_ns / 1e9).toFixed(3)} s of virtual time`,
  ].filter(Boolean);
  return (
    <div class="heading">
      <h1 tabIndex={-1}>{titleOf(item)}</h1>
      <p class="verdict"><Badge of={verdictOf(item)}>{VERDICT_WORDS[verdictOf(item)] ?? verdictOf(item)}</Badge> <span class="mute">{facts.join(' · ')}</span></p>
      {result.error && <p class="bad">{result.error}</p>}
    </div>
  );
}

/** Links to the sections that are there: what they are called is read off the page. */
function Contents({ base, of, call }: { base: string; of: string; call: number | null }) {
  const [sections, setSections] = useState<{ id: string; title: string }[]>([]);
  useEffect(() => {
    setSections([...document.querySelectorAll<HTMLElement>('main section.card')].map((s) => ({ id: s.id, title: s.querySelector('h2')!.textContent! })));
  }, [of]);
  if (sections.length < 3) return null;
  return <nav class="contents" aria-label="On this page"><ul>{sections.map((s) => <li key={s.id}><a href={`#${base}/${s.id}${call === null ? '' : `?call=${call}`}`}>{s.title}</a></li>)}</ul></nav>;
}

function Frame(props: { items: Item[]; title: string; current: string; children: ComponentChildren; main: RefObject<HTMLElement | null> }) {
  const names = useMemo(() => labels(props.items), [props.items]);
  const several = props.items.length > 1;
  const skip = () => props.main.current?.focus();
  return (
    <>
      <button type="button" class="skip" onClick={skip}>Skip to the content</button>
      <header class="top">
        <p class="brand"><a href="#/">ibakelab</a> <span class="mute">{props.title}</span></p>
        {several && (
          <label>Result{' '}
            <select value={props.current} onChange={(e) => { location.hash = `#/${e.currentTarget.value}`; }}>
              <option value="">overview</option>
              {names.map((n, i) => <option key={i} value={String(i)}>{n}</option>)}
              {props.current.startsWith('compare') && <option value={props.current}>side by side</option>}
            </select>
          </label>
        )}
        <ThemePicker />
      </header>
      {props.children}
    </>
  );
}

function Versions({ items }: { items: Item[] }) {
  const all = new Map<string, Set<string>>();
  for (const item of items) for (const [name, v] of Object.entries(item.result.versions ?? {})) all.set(name, (all.get(name) ?? new Set()).add(v ?? '–'));
  if (!all.size) return null;
  return <details class="versions"><summary>Made with</summary><Plain caption="Versions" head={['what', 'version']} rows={[...all].map(([name, v]) => [name, [...v].join(', ')])} /></details>;
}

function Comparison({ items, indices }: { items: Item[]; indices: number[] }) {
  const chosen = indices.map((i) => items[i]);
  const kinds = new Set(chosen.map((i) => kindOf(i.result)));
  const names = labels(chosen);
  if (kinds.size === 1 && kinds.has('conformance')) return <ConformanceComparison items={chosen} names={names} />;
  if (kinds.size === 1 && kinds.has('benchmark')) return <BenchmarkHistory items={chosen} names={names} />;
  if (kinds.size === 1 && kinds.has('run') && chosen.length === 2) return <RunComparison items={chosen} />;
  return <p class="note">These results cannot be laid side by side: they are of different kinds.</p>;
}

const COMPARABLE: Kind[] = ['run', 'conformance', 'benchmark'];

/** To the twin, and to any other result of the same kind. */
function Beside({ items, index }: { items: Item[]; index: number }) {
  const twin = twinOf(items, index);
  const names = labels(items);
  const kind = kindOf(items[index].result);
  const others = COMPARABLE.includes(kind) ? items.map((_, i) => i).filter((i) => i !== index && kindOf(items[i].result) === kind) : [];
  if (!others.length) return null;
  return (
    <div class="tools">
      {twin >= 0 && <a href={`#/compare/${index}/${twin}`}>Side by side with {names[twin]}</a>}
      {(others.length > 1 || twin < 0) && (
        <label>Side by side with{' '}
          <select value="" onChange={(e) => { location.hash = `#/compare/${index}/${e.currentTarget.value}`; }}>
            <option value="">…</option>
            {others.map((i) => <option key={i} value={String(i)}>{names[i]}</option>)}
          </select>
        </label>
      )}
    </div>
  );
}

export function App({ items, title }: { items: Item[]; title: string }) {
  const { parts, call } = useRoute();
  const main = useRef<HTMLElement>(null);
  const opened = useRef(false);
  const [head, ...rest] = parts;
  const compare = head === 'compare' ? rest.map(Number).filter((i) => items[i]) : [];
  const index = items.length === 1 ? 0 : head !== undefined && items[Number(head)] ? Number(head) : -1;
  const place = compare.length > 1 ? `compare/${compare.join('/')}` : index >= 0 ? String(index) : '';
  const section = compare.length > 1 ? undefined : rest[0];
  useEffect(() => { // a new place begins at its top, with the focus on its heading; not when the page opens
    if (opened.current) { main.current?.querySelector<HTMLElement>('h1')?.focus(); scrollTo(0, 0); }
    opened.current = true;
  }, [place]);
  useEffect(() => {
    const found = section && document.getElementById(section);
    if (!found) return;
    found.scrollIntoView();
    found.querySelector<HTMLElement>('h2')?.focus({ preventScroll: true });
  }, [place, section]);
  return (
    <Frame items={items} title={title} current={place} main={main}>
      <main ref={main} tabIndex={-1}>
        {compare.length > 1
          ? <><div class="heading"><h1 tabIndex={-1}>Side by side</h1></div><Comparison key={place} items={items} indices={compare} /></>
          : index >= 0
            ? <><Heading item={items[index]} /><Beside items={items} index={index} /><Contents base={`/${index}`} of={place} call={call} /><Body key={place} items={items} index={index} call={call} /></>
            : <><div class="heading"><h1 tabIndex={-1}>{title}</h1></div><Overview items={items} /></>}
      </main>
      <footer><Versions items={items} /></footer>
    </Frame>
  );
}
