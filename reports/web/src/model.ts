// What every kind has in common, also where a result.json of a run says it in other words.
import type { Check, Item, Measure, Result, RunResult, Verdict } from './types';

export type Kind = 'run' | 'sweep' | 'attack' | 'conformance' | 'mutants' | 'fuzz' | 'benchmark' | 'other';
const KINDS: Kind[] = ['run', 'sweep', 'attack', 'conformance', 'mutants', 'fuzz', 'benchmark'];

/** Results of runs were there before `kind`: without one, what has calls is a run. */
export function kindOf(result: Result): Kind {
  if (!result.kind) return Array.isArray(result.calls) ? 'run' : 'other';
  return KINDS.includes(result.kind as Kind) ? (result.kind as Kind) : 'other';
}

export const KIND_NAMES: Record<Kind, string> = {
  run: 'run', sweep: 'sweep', attack: 'search for attacks', conformance: 'conformance', mutants: 'mutants', fuzz: 'fuzzing',
  benchmark: 'benchmark', other: 'result',
};

export function subjectOf(result: Result): string {
  return result.subject ?? (result.scenario as string | undefined) ?? (result.iut as string | undefined) ?? '';
}

export function titleOf(item: Item): string {
  return item.result.title || subjectOf(item.result) || item.dir;
}

/** What an item is called where several stand beside each other: its title, with its folder where titles repeat. */
export function labels(items: Item[]): string[] {
  const titles = items.map(titleOf);
  return items.map((item, i) =>
    titles.filter((t) => t === titles[i]).length > 1 && item.dir ? `${titles[i]} (${item.dir})` : titles[i]);
}

export function checksOf(result: Result): Check[] {
  if (kindOf(result) !== 'run') return result.checks ?? [];
  const run = result as unknown as RunResult;
  const expectations = (run.expectations ?? []).map((e, i): Check => ({
    id: `expectation ${i + 1}`, text: e.text, outcome: e.held ? 'pass' : 'fail', detail: e.observed, file: e.file, line: e.line,
  }));
  const properties = (run.properties ?? []).map((p): Check => ({
    id: p.name, text: `security property: ${p.name}`, outcome: p.holds ? 'pass' : 'fail', detail: p.detail,
  }));
  return [...expectations, ...properties];
}

export function measuresOf(result: Result): Measure[] {
  if (result.measures) return result.measures;
  const summary = (result as unknown as RunResult).summary;
  if (!summary) return [];
  const measures: Measure[] = (['calls', 'established', 'failed', 'dropped'] as const).map((name) => ({
    name, value: summary[name], unit: '',
  }));
  if (summary.setup_ns) measures.push({ name: 'set-up time, median', value: summary.setup_ns.median / 1e9, unit: 's' });
  return measures;
}

export const VERDICT_WORDS: Record<Verdict, string> = { pass: 'passed', fail: 'failed', error: 'did not complete' };

/** Name of the scenario without folder, ending and the defence that it leaves out: the same for an attack and its twins. */
export function familyOf(result: Result): string {
  return subjectOf(result).replace(/^.*\//, '').replace(/\.ya?ml$/, '').replace(/-without-.*$/, '');
}

export const isTwin = (result: Result): boolean => /-without-[^/]*$/.test(subjectOf(result));

/** The item to lay beside item `index`: its twin, or with two runs the other one; -1 if there is none. */
export function twinOf(items: Item[], index: number): number {
  const one = items[index].result;
  if (kindOf(one) !== 'run') return -1;
  const others = items.map((_, i) => i).filter((i) => i !== index && kindOf(items[i].result) === 'run');
  const family = others.filter((i) => familyOf(items[i].result) === familyOf(one) && isTwin(items[i].result) !== isTwin(one));
  if (family.length) return family[0];
  return items.length === 2 && others.length === 1 ? others[0] : -1;
}
