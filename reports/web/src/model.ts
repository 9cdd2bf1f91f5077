// What every kind has in common.
import type { Item, Result, Text, Verdict } from './types';

export type Kind = 'run' | 'sweep' | 'attack' | 'conformance' | 'mutants' | 'fuzz' | 'benchmark' | 'other';
const KINDS: Kind[] = ['run', 'sweep', 'attack', 'conformance', 'mutants', 'fuzz', 'benchmark'];

export function kindOf(result: Result): Kind {
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

/** What an item is called where several stand beside each other: its title, with its folder or number where those repeat. */
export function labels(items: Item[]): string[] {
  const titles = items.map(titleOf);
  const repeats = (list: string[], i: number) => list.filter((t) => t === list[i]).length > 1;
  const placed = items.map((item, i) => (repeats(titles, i) && item.dir ? `${titles[i]} (${item.dir})` : titles[i]));
  return placed.map((label, i) => (repeats(placed, i) ? `${label} #${i + 1}` : label));
}

/** Where nothing was judged, nothing has passed. */
export const verdictOf = ({ result, checks }: Item): Verdict | 'measured' => (result.verdict === 'pass' && !checks.length ? 'measured' : result.verdict);
export const VERDICT_WORDS: Record<Verdict | 'measured', string> = { pass: 'passed', fail: 'failed', error: 'did not complete', measured: 'measured, not judged' };

/** Name of the scenario without folder, ending and the defence that it leaves out: the same for an attack and its twins. */
export function familyOf(result: Result): string {
  return subjectOf(result).replace(/^.*\//, '').replace(/\.ya?ml$/, '').replace(/-without-.*$/, '');
}

export const isTwin = (result: Result): boolean => /-without-[^/]*$/.test(subjectOf(result));

const cleanPath = (path: string): string => path.split('/').filter((part) => part && part !== '.').join('/');
const parentOf = (dir: string): string => cleanPath(dir).replace(/\/?[^/]*$/, '');

/** The item of a folder that `from` names, as seen from its own folder or from here; -1 if it is not in this page. */
export function itemAt(items: Item[], from: Item, dir: Text): number {
  if (!dir) return -1;
  const wanted = [cleanPath(`${from.dir}/${dir}`), cleanPath(dir)];
  return items.findIndex((item) => wanted.includes(cleanPath(item.dir)));
}

/** The runs of searches for attacks: what was broken, and the same with the defence on. */
function searched(items: Item[]): [number, number][] {
  return items.flatMap((item): [number, number][] => {
    const found = kindOf(item.result) === 'attack' ? (item.result.found as { run: Text; twin: Text } | null) : null;
    const pair: [number, number] = [itemAt(items, item, found?.run ?? null), itemAt(items, item, found?.twin ?? null)];
    return pair.every((i) => i >= 0) ? [pair] : [];
  });
}

/** The item to lay beside item `index`: its twin, or with two runs the other one; -1 if there is none. */
export function twinOf(items: Item[], index: number): number {
  const one = items[index];
  if (kindOf(one.result) !== 'run') return -1;
  const pair = searched(items).find((p) => p.includes(index));
  if (pair) return pair[0] === index ? pair[1] : pair[0];
  const others = items.map((_, i) => i).filter((i) => i !== index && kindOf(items[i].result) === 'run');
  const family = others.filter((i) => familyOf(items[i].result) === familyOf(one.result) && isTwin(items[i].result) !== isTwin(one.result));
  const near = family.filter((i) => parentOf(items[i].dir) === parentOf(one.dir));
  if (family.length) return near[0] ?? family[0];
  return items.length === 2 && others.length === 1 ? others[0] : -1;
}
