// Numbers, times and sizes as people read them. Digits are grouped by thin spaces; a time has the unit that fits it.

export function count(n: number | null | undefined): string {
  if (n === null || n === undefined || !Number.isFinite(n)) return '–';
  const [whole, part] = String(n).split('.');
  if (whole.includes('e')) return String(n);
  return whole.replace(/\B(?=(\d{3})+(?!\d))/g, '\u202f') + (part ? '.' + part : '');
}

/** A number with at most `digits` significant digits, thousands grouped. */
export function short(n: number, digits = 4): string {
  if (!Number.isFinite(n)) return '–';
  if (n === 0) return '0';
  const places = Math.max(0, digits - 1 - Math.floor(Math.log10(Math.abs(n))));
  return count(Number(n.toFixed(Math.min(places, 12))));
}

export function duration(ns: number | null | undefined): string {
  if (ns === null || ns === undefined) return '–';
  const size = Math.abs(ns);
  if (size === 0) return '0 s';
  if (size < 1e3) return `${ns} ns`;
  if (size < 1e6) return `${(ns / 1e3).toFixed(1)} µs`;
  if (size < 1e9) return `${(ns / 1e6).toFixed(1)} ms`;
  if (size < 600e9) return `${(ns / 1e9).toFixed(3)} s`;
  return `${count(Math.round(ns / 1e9))} s`;
}

/** A moment of virtual time: seconds with six places, as in the ladder on the terminal. */
export function moment(ns: number | null | undefined): string {
  return ns === null || ns === undefined ? '–' : (ns / 1e9).toFixed(6);
}

export function octets(n: number | null | undefined): string {
  if (n === null || n === undefined) return '–';
  if (n < 10_000) return `${count(n)} B`;
  if (n < 10_000_000) return `${(n / 1e3).toFixed(1)} kB`;
  return `${(n / 1e6).toFixed(1)} MB`;
}

export function percent(part: number, whole: number): string {
  return whole ? `${((100 * part) / whole).toFixed(part === whole ? 0 : 1)} %` : '–';
}

export function plural(n: number, one: string, many = one + 's'): string {
  return `${count(n)} ${n === 1 ? one : many}`;
}

/** For axes: "20 M" rather than "20 000 000". */
export function axis(n: number): string {
  const size = Math.abs(n);
  if (size >= 1e9) return `${short(n / 1e9, 3)} G`;
  if (size >= 1e6) return `${short(n / 1e6, 3)} M`;
  return size >= 1e5 ? `${short(n / 1e3, 3)} k` : short(n);
}

/** The octets of a hex text from `offset`, in pairs: "04 57 c6". */
export function hexPairs(hex: string, offset = 0, length = hex.length / 2 - offset): string {
  return (hex.slice(2 * offset, 2 * (offset + length)).match(/../g) ?? []).join(' ');
}

/** The value below which the share q of the sorted values lies (linear interpolation, type 7). */
export function quantile(sorted: number[], q: number): number {
  if (!sorted.length) return NaN;
  const at = q * (sorted.length - 1);
  const low = Math.floor(at);
  const high = Math.min(low + 1, sorted.length - 1);
  return sorted[low] + (sorted[high] - sorted[low]) * (at - low);
}

/** Names in the order people expect: "call-9" before "call-10". */
const collator = new Intl.Collator('en', { numeric: true });
export const byName = (a: string, b: string): number => collator.compare(a, b);
