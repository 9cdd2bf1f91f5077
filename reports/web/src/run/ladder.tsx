// The ladder diagram: nodes across, time down. Each arrow is a button that opens its message.
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { usePrinting, useRows, useWidth } from '../ui/hooks';
import type { Window } from '../ui/hooks';
import { byName, duration, moment } from '../format';
import { MessagePanel } from './message';
import type { Ladder, Row, Run, RunResult } from '../types';

const HEIGHT = 36;
const COMPACT = 780; // narrower than this, readers are letters, and columns stand closer
const PAUSE = 200e6; // a longer pause is written between the rows

// Where a node stands among the columns: users outside, networks between them in the order in which messages pass.
export function columnsOf(ladder: Ladder): number[] {
  const order: number[] = [];
  for (const row of ladder.rows) for (const node of [row.from, row.to]) if (!order.includes(node)) order.push(node);
  return order;
}

export function columnsIn(ladder: Ladder, run: Run): number[] {
  const seen = columnsOf(ladder);
  const users = seen.filter((n) => run.nodes[n]?.kind === 'ue');
  const first = users.slice(0, 1);
  const rest = seen.filter((n) => !users.includes(n));
  return [...first, ...rest, ...users.slice(1)];
}

/** Who matters most of those that could read a message: an adversary, a KMS, or only those it is for. */
export function readerTone(row: Row, kinds: Map<string, string>): string {
  if (!row.mikey) return '';
  const readers = row.readers.map((name) => kinds.get(name) ?? 'other');
  if (readers.includes('adversary')) return 'adversary';
  if (readers.includes('kms')) return 'kms';
  return readers.length ? 'ends' : 'nobody';
}

const TONES: Record<string, string> = {
  adversary: 'an adversary could read it', kms: 'a KMS could read it', ends: 'only users could read it', nobody: 'nobody read it',
};
const DANGER = ['adversary', 'kms', 'mailbox', 'function', 'user']; // who is named first
const LETTERS: Record<string, string> = { adversary: 'A', kms: 'K', user: 'U', mailbox: 'M', function: 'F' };

interface Drawn { row: Row; x1: number; x2: number; tone: string; text: string }

function Arrow({ d, width, xs }: { d: Drawn; width: number; xs: number[] }) {
  const { row, x1, x2 } = d;
  const self = x1 === x2;
  const direction = Math.sign(x2 - x1);
  const tip = row.lost ? x1 + (x2 - x1) * 0.72 : x2;
  const middle = Math.min(Math.max((x1 + x2) / 2, d.text.length * 3.3 + 6), width - d.text.length * 3.3 - 6);
  const y = 25;
  return (
    <svg width={width} height={HEIGHT} aria-hidden="true" class={`arrow ${row.kind} ${d.tone ? `k-${d.tone}` : ''}`}>
      {xs.map((x) => <line key={x} class="life" x1={x} x2={x} y2={HEIGHT} />)}
      {row.kind === 'note' || row.kind === 'attack' || self
        ? <path class="mark" d={`M${(x1 + x2) / 2},${y - 6}l6,6l-6,6l-6,-6z`} />
        : <>
            <line class="shaft" x1={x1} x2={tip - direction * 5} y1={y} y2={y} stroke-dasharray={row.lost ? '5 4' : row.kind === 'media' ? '2 3' : undefined} />
            {row.lost
              ? <path class="cross" d={`M${tip - 5},${y - 5}l10,10m0,-10l-10,10`} />
              : <path class="tip" d={`M${tip},${y}l${-direction * 9},-5v10z`} />}
          </>}
      {row.adversary && row.kind !== 'attack' && <path class="mark adversary" d={`M${(x1 + x2) / 2},${y - 6}l6,6l-6,6l-6,-6z`} />}
      <text x={self ? Math.min(Math.max(x1, d.text.length * 3.3 + 6), width - d.text.length * 3.3 - 6) : middle} y={14} text-anchor="middle">{d.text}</text>
    </svg>
  );
}

function spoken(row: Row, run: Run, tone: string): string {
  const way = `${run.nodes[row.from]?.name} to ${run.nodes[row.to]?.name}`;
  return [`${moment(row.ns)} s`, way, row.label, row.mikey, row.lost && 'lost', row.copies > 1 && `sent ${row.copies} times`, row.note,
    row.adversary && `adversary: ${row.adversary}`, tone && (row.readers.length ? `readable by ${row.readers.join(', ')}` : TONES[tone])]
    .filter(Boolean).join(', ');
}

function textOf(row: Row): string {
  const label = row.mikey ? `${row.label.replace(/^(\d{3}) .*/, '$1')} ${row.mikey}` : row.label;
  const extra = [row.copies > 1 && `×${row.copies}`, row.lost && 'lost', row.dialog !== null && `#${row.dialog}`].filter(Boolean).join(' ');
  return extra ? `${label} ${extra}` : label;
}

function Readers({ row, kinds, compact }: { row: Row; kinds: Map<string, string>; compact: boolean }) {
  if (!row.mikey) return <span class="readers" />;
  const kindOf = (name: string) => kinds.get(name) ?? 'function';
  const sorted = [...row.readers].sort((a, b) => DANGER.indexOf(kindOf(a)) - DANGER.indexOf(kindOf(b)));
  const shown = sorted.slice(0, sorted.length > 2 ? 1 : 2); // a row has room for two
  return (
    <span class="readers" aria-hidden="true" title={sorted.join(', ')}>
      {shown.map((name) => {
        const kind = kindOf(name);
        return <span key={name} class={`chip k-${kind}`} title={name}>{LETTERS[kind] ?? '?'}{!compact && ` ${name.length > 9 ? name.slice(0, 8) + '…' : name}`}</span>;
      })}
      {sorted.length > shown.length && <span class="chip">+{sorted.length - shown.length}</span>}
    </span>
  );
}

export function LadderLegend({ hasAdversary }: { hasAdversary: boolean }) {
  return (
    <ul class="legend">
      <li><span class="swatch line k-ends" aria-hidden="true" /> MIKEY that only users could read</li>
      <li><span class="swatch line k-kms" aria-hidden="true" /> a KMS could, too (K)</li>
      {hasAdversary && <li><span class="swatch line k-adversary" aria-hidden="true" /> an adversary could (A)</li>}
      <li><span class="swatch line k-nobody" aria-hidden="true" /> nobody did</li>
      <li><span class="swatch line" aria-hidden="true" /> without MIKEY</li>
      <li>✗ lost, ×n sent n times, #n dialog of a fork{hasAdversary && ', ◆ the adversary at work'}</li>
    </ul>
  );
}

/** The messages that one node sent or got. */
export function onlyOf(ladder: Ladder, node: number | null): Ladder {
  return node === null ? ladder : { ...ladder, rows: ladder.rows.filter((r) => r.from === node || r.to === node) };
}

const CROWD = 10; // so many nodes beside each other are too many to follow

/** The ladder; of one with a crowd of nodes, what one of them sees, at first that of the first user. */
export function LadderView({ ladder, run, result }: { ladder: Ladder; run: Run; result: RunResult }) {
  const nodes = useMemo(() => columnsIn(ladder, run), [ladder, run]);
  const crowd = nodes.length > CROWD;
  const [picked, setPicked] = useState<{ ladder: Ladder; node: number | null } | null>(null);
  const node = picked?.ladder === ladder ? picked.node : crowd ? nodes[0] : null;
  const part = useMemo(() => onlyOf(ladder, node), [ladder, node]);
  const names = useMemo(() => [...nodes].sort((a, b) => byName(run.nodes[a].name, run.nodes[b].name)), [nodes, run]);
  return (
    <>
      {crowd && (
        <div class="tools">
          <label>Messages of{' '}
            <select value={node === null ? '' : String(node)} onChange={(e) => setPicked({ ladder, node: e.currentTarget.value === '' ? null : Number(e.currentTarget.value) })}>
              <option value="">all {nodes.length} nodes</option>
              {names.map((n) => <option key={n} value={String(n)}>{run.nodes[n].name}</option>)}
            </select>
          </label>
        </div>
      )}
      <Rungs ladder={part} run={run} result={result} />
    </>
  );
}

/** The names of the nodes; they stay in sight while the rows scroll. */
function Heads({ run, columns, xs, width, sides, compact }: {
  run: Run; columns: number[]; xs: number[]; width: number; sides: number; compact: boolean;
}) {
  return (
    <div class="ladder-head" style={{ width: `${width + sides}px` }} aria-hidden="true">
      <span class="time">seconds</span>
      <svg width={width} height="40">
        {columns.map((n, i) => {
          const [head, ...tail] = (run.nodes[n]?.name ?? '?').split('.');
          const half = compact ? 39 : 52;
          return (
            <g key={n} transform={`translate(${xs[i]},0)`} class={`head k-${run.nodes[n]?.kind}`}>
              <rect x={-half} y="3" width={2 * half} height="33" rx="6" />
              <text y={tail.length ? 17 : 24} text-anchor="middle">{head.slice(0, compact ? 10 : 14)}</text>
              {tail.length > 0 && <text y="30" text-anchor="middle" class="domain">{tail.join('.').slice(0, compact ? 14 : 18)}</text>}
            </g>
          );
        })}
      </svg>
      <span class="readers">{compact ? 'read' : 'readable by'}</span>
    </div>
  );
}

/** One of the rows is reached by Tab, the others from it by arrow keys; what is not in the page yet is scrolled to first. */
function useRoving(count: number, view: Window<HTMLDivElement>) {
  const [at, setAt] = useState(0);
  const wanted = useRef(false);
  useLayoutEffect(() => {
    const button = wanted.current && view.scroller.current?.querySelector<HTMLElement>(`[data-row="${at}"]`);
    if (!button) return;
    button.focus();
    wanted.current = false;
  });
  const go = (to: number) => {
    const next = Math.min(count - 1, Math.max(0, to));
    wanted.current = true;
    setAt(next);
    view.show(next);
  };
  const keys = (e: KeyboardEvent) => {
    const step: Record<string, number> = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: count - 1, PageDown: at + 10, PageUp: at - 10 };
    if (!(e.key in step)) return;
    e.preventDefault();
    go(step[e.key]);
  };
  return { at, setAt, go, keys };
}

function Rungs({ ladder, run, result }: { ladder: Ladder; run: Run; result: RunResult }) {
  const [chosen, setChosen] = useState<{ index: number; byKey: boolean } | null>(null);
  const [ref, outer] = useWidth<HTMLDivElement>();
  const printing = usePrinting();
  const columns = useMemo(() => columnsIn(ladder, run), [ladder, run]);
  const kinds = useMemo(() => new Map(result.knowledge.parties.map((p) => [p.party, p.kind])), [result]);
  const compact = outer < COMPACT;
  const sides = compact ? 78 + 52 : 96 + 128; // time and readers, as in style.css
  const width = Math.max(columns.length * (compact ? 84 : 118), outer - sides - 20);
  const xs = columns.map((_, i) => (width * (i + 0.5)) / columns.length);
  const rows = ladder.rows;
  const view = useRows<HTMLDivElement>(rows.length, HEIGHT, rows.length <= 120 || printing);
  const { at, setAt, go, keys } = useRoving(rows.length, view);
  useEffect(() => { setChosen(null); setAt(0); }, [ladder]);
  const close = () => { setChosen(null); go(at); };
  if (!rows.length) return <p class="note">No message was sent.</p>;
  return (
    <div class={`ladder ${chosen !== null ? 'with-panel' : ''} ${compact ? 'compact' : ''}`}>
      <div ref={ref} class="rungs"><div class={`scroll ${rows.length > 20 ? 'window' : ''}`} ref={view.scroller} role="group"
        aria-label={`Ladder diagram: ${ladder.title}. Arrow keys move, Enter opens a message.`} onKeyDown={(e) => (e.key === 'Escape' && chosen ? close() : keys(e))}>
        <Heads run={run} columns={columns} xs={xs} width={width} sides={sides} compact={compact} />
        <div style={{ width: `${width + sides}px` }}>
          <div style={{ height: `${view.before}px` }} />
          {view.items.map(({ index }) => {
            const row = rows[index];
            if (!row) return null;
            const tone = readerTone(row, kinds);
            const pause = index > 0 && row.ns - rows[index - 1].ns > PAUSE;
            const here = chosen?.index === index;
            const drawn = { row, tone, x1: xs[columns.indexOf(row.from)], x2: xs[columns.indexOf(row.to)], text: textOf(row) };
            return (
              <button type="button" key={index} data-index={index} data-row={index} ref={view.measure} tabIndex={index === at ? 0 : -1}
                class={`rung ${row.adversary || row.kind === 'attack' ? 'attacked' : ''} ${here ? 'chosen' : ''}`}
                aria-pressed={here} onClick={(e) => { setAt(index); setChosen(here ? null : { index, byKey: e.detail === 0 }); }} onFocus={() => setAt(index)}>
                <span class="hidden">{spoken(row, run, tone)}</span>
                <span class="time" aria-hidden="true">{moment(row.ns)}{pause && <small>+{duration(row.ns - rows[index - 1].ns)}</small>}</span>
                <Arrow d={drawn} width={width} xs={xs} />
                <Readers row={row} kinds={kinds} compact={compact} />
              </button>
            );
          })}
          <div style={{ height: `${view.after}px` }} />
        </div>
      </div></div>
      {chosen && rows[chosen.index] && <MessagePanel key={chosen.index} run={run} row={rows[chosen.index]} focus={chosen.byKey} onClose={close} />}
    </div>
  );
}
