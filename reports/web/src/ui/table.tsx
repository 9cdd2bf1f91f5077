// A table that sorts, filters, opens rows, and stays quick with 10,000 of them: only those in the window are in the page.
import type { ComponentChildren } from 'preact';
import { useId, useMemo, useState } from 'preact/hooks';
import { Scroll } from './basic';
import { byName, count } from '../format';
import { usePrinting, useRows } from './hooks';

export interface Column<R> {
  id: string;
  head: string;
  cell: (row: R) => ComponentChildren;
  value?: (row: R) => string | number | null | undefined; // to sort and to search by
  number?: boolean;
  width?: number; // in ch; what has none shares the rest
}

export interface Facet<R> { id: string; label: string; of: (row: R) => string }

interface Props<R> {
  caption: string;
  columns: Column<R>[];
  rows: R[];
  facets?: Facet<R>[];
  detail?: (row: R) => ComponentChildren | null; // what opens below a row
  name?: (row: R) => string; // what a row's button is called
  selected?: R | null;
  onSelect?: (row: R) => void;
  search?: boolean;
}

const WHOLE = 80; // as many rows are laid out whole, and need no window of their own
const PRINTED = 2000;

type Order = { id: string; down: boolean } | null;

function sortRows<R>(rows: R[], columns: Column<R>[], order: Order): R[] {
  const column = order && columns.find((c) => c.id === order.id);
  if (!column?.value) return rows;
  const sign = order!.down ? -1 : 1;
  const keyed = rows.map((row) => [column.value!(row) ?? null, row] as const);
  keyed.sort(([a], [b]) => {
    if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1; // what is unknown stands last
    return sign * (typeof a === 'number' && typeof b === 'number' ? a - b : byName(String(a), String(b)));
  });
  return keyed.map(([, row]) => row);
}

function matches<R>(row: R, columns: Column<R>[], words: string[]): boolean {
  const text = columns.map((c) => String(c.value?.(row) ?? '')).join('\n').toLowerCase();
  return words.every((word) => text.includes(word));
}

function Tools<R>(props: {
  rows: R[]; shown: number; facets: Facet<R>[]; search: boolean; query: string; setQuery: (text: string) => void;
  chosen: Record<string, string>; choose: (id: string, value: string) => void; caption: string;
}) {
  const id = useId();
  const options = useMemo(() => props.facets.map((f) => {
    const counts = new Map<string, number>();
    for (const row of props.rows) counts.set(f.of(row), (counts.get(f.of(row)) ?? 0) + 1);
    return [...counts].sort(([a], [b]) => byName(a, b));
  }), [props.rows, props.facets]);
  return (
    <div class="tools" role="search" aria-label={`Filter: ${props.caption}`}>
      {props.search && (
        <label for={`${id}-q`}>Filter{' '}
          <input id={`${id}-q`} type="search" value={props.query} placeholder="words"
            onInput={(e) => props.setQuery(e.currentTarget.value)} />
        </label>
      )}
      {props.facets.map((f, i) => options[i].length > 1 && (
        <label key={f.id}>{f.label}{' '}
          <select value={props.chosen[f.id] ?? ''} onChange={(e) => props.choose(f.id, e.currentTarget.value)}>
            <option value="">all</option>
            {options[i].map(([value, n]) => <option key={value} value={value}>{value} ({count(n)})</option>)}
          </select>
        </label>
      ))}
      <span class="shown" role="status">{count(props.shown)} of {count(props.rows.length)} rows</span>
    </div>
  );
}

function Head<R>({ columns, order, setOrder, opens }: {
  columns: Column<R>[]; order: Order; setOrder: (order: Order) => void; opens: boolean;
}) {
  return (
    <thead>
      <tr>
        {opens && <th scope="col" class="opener"><span class="hidden">Open</span></th>}
        {columns.map((c) => {
          const here = order?.id === c.id;
          return (
            <th key={c.id} scope="col" class={c.number ? 'num' : ''} aria-sort={here ? (order!.down ? 'descending' : 'ascending') : undefined}>
              {c.value
                ? <button type="button" class="sort" onClick={() => setOrder(here && order!.down ? null : { id: c.id, down: here })}>
                    {c.head}<span aria-hidden="true">{here ? (order!.down ? ' ▾' : ' ▴') : ''}</span>
                  </button>
                : c.head}
            </th>
          );
        })}
      </tr>
    </thead>
  );
}

/** A row and, opened, what stands below it. */
function Row<R>({ table, row, open, toggle, place }: {
  table: Props<R>; row: R; open: boolean; toggle: (row: R) => void; place: number | undefined;
}) {
  const { columns, detail, onSelect } = table;
  const chosen = table.selected === row;
  const content = detail?.(row) ?? null;
  return (
    <>
      <tr class={chosen ? 'chosen' : ''} aria-rowindex={place}>
        {detail && <td class="opener">{content !== null && (
          <button type="button" aria-expanded={open} aria-label={`Details of ${table.name?.(row) ?? 'this row'}`} onClick={() => toggle(row)}>{open ? '▾' : '▸'}</button>)}</td>}
        {columns.map((c, i) => {
          const cell = i === 0 && onSelect
            ? <button type="button" class="link" aria-pressed={chosen} onClick={() => onSelect(row)}>{c.cell(row)}</button>
            : c.cell(row);
          return i === 0
            ? <th key={c.id} scope="row" class={c.number ? 'num' : ''}>{cell}</th>
            : <td key={c.id} class={c.number ? 'num' : ''}>{cell}</td>;
        })}
      </tr>
      {open && content !== null && <tr class="detail"><td colSpan={columns.length + 1}>{content}</td></tr>}
    </>
  );
}

/** Rows that are not in the page, as empty room. */
function Gap({ height, span }: { height: number; span: number }) {
  return height > 0 ? <tbody aria-hidden="true"><tr><td colSpan={span} class="gap" style={{ height: `${height}px` }} /></tr></tbody> : null;
}

export function DataTable<R>(props: Props<R>) {
  const { columns, rows, facets = [], detail, caption } = props;
  const [order, setOrder] = useState<Order>(null);
  const [query, setQuery] = useState('');
  const [chosen, setChosen] = useState<Record<string, string>>({});
  const [open, setOpen] = useState<ReadonlySet<R>>(new Set());
  const printing = usePrinting();
  const visible = useMemo(() => {
    const words = query.toLowerCase().split(/\s+/).filter(Boolean);
    const kept = rows.filter((row) =>
      facets.every((f) => !chosen[f.id] || f.of(row) === chosen[f.id]) && (!words.length || matches(row, columns, words)));
    return sortRows(kept, columns, order);
  }, [rows, columns, facets, query, chosen, order]);
  const long = rows.length > WHOLE;
  const list = printing ? visible.slice(0, PRINTED) : visible;
  const view = useRows<HTMLDivElement>(list.length, 37, !long || printing);
  const toggle = (row: R) => setOpen((was) => {
    const now = new Set(was);
    if (!now.delete(row)) now.add(row);
    return now;
  });
  const span = columns.length + (detail ? 1 : 0);
  const tools = rows.length > 8 && (props.search !== false || facets.length > 0);
  const minimum = columns.reduce((sum, c) => sum + (c.width ?? 24), detail ? 4 : 0);
  return (
    <div class="data-table">
      {tools && <Tools rows={rows} shown={visible.length} facets={facets} search={props.search !== false} query={query}
        setQuery={setQuery} chosen={chosen} choose={(id, value) => setChosen({ ...chosen, [id]: value })} caption={caption} />}
      <div ref={view.scroller} class={`scroll ${long ? 'window' : ''}`} role="group" aria-label={`Table: ${caption}`} tabIndex={0}>
        <table class={long ? 'fixed' : ''} style={{ minWidth: `${long ? minimum : Math.round(minimum * 0.75)}ch` }}
          aria-rowcount={long ? visible.length + 1 : undefined}>
          <caption>{caption}</caption>
          {long && <colgroup>
            {detail && <col style={{ width: '4ch' }} />}
            {columns.map((c) => <col key={c.id} style={c.width ? { width: `${c.width}ch` } : undefined} />)}
          </colgroup>}
          <Head columns={columns} order={order} setOrder={setOrder} opens={!!detail} />
          <Gap height={view.before} span={span} />
          {view.items.map(({ index }) => {
            const row = list[index];
            return row !== undefined && (
              <tbody key={index} data-index={index} ref={view.measure}>
                <Row table={props} row={row} open={open.has(row)} toggle={toggle} place={long ? index + 2 : undefined} />
              </tbody>
            );
          })}
          <Gap height={view.after} span={span} />
        </table>
      </div>
      {printing && visible.length > PRINTED && <p class="note">{count(visible.length - PRINTED)} further rows are not printed.</p>}
      {!visible.length && rows.length > 0 && <p class="note">No row fits the filter.</p>}
    </div>
  );
}

/** The plain kind: a few rows, all of them there. */
export function Plain({ caption, head, rows, numbers = [] }: {
  caption: string; head: string[]; rows: ComponentChildren[][]; numbers?: number[];
}) {
  return (
    <Scroll label={`Table: ${caption}`}>
      <table>
        <caption>{caption}</caption>
        <thead><tr>{head.map((h, i) => <th key={h} scope="col" class={numbers.includes(i) ? 'num' : ''}>{h}</th>)}</tr></thead>
        <tbody>
          {rows.map((row, r) => (
            <tr key={r}>{row.map((cell, i) => i === 0
              ? <th key={i} scope="row" class={numbers.includes(0) ? 'num' : ''}>{cell}</th>
              : <td key={i} class={numbers.includes(i) ? 'num' : ''}>{cell}</td>)}</tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}
