// A message taken apart: each field with its octets beside it.
import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { Scroll } from '../ui/basic';
import { count, duration, hexPairs, moment } from '../format';
import type { Field, Row, Run } from '../types';

const SHOWN = 32; // octets of a long field before "all"

export interface Line { depth: number; field: Field; path: string; hex: string; group: boolean; inner: boolean }

/** The tree as lines. Decrypted content has offsets of its own: its octets come from the fields, not from the message. */
export function flatten(fields: Field[], octets: string, depth = 0, path = '', inner = false): Line[] {
  return fields.flatMap((field, i) => {
    const here = `${path}/${i}`;
    const inside = inner || (field.offset === undefined && !!field.fields?.length);
    const group = !!field.fields?.length;
    let hex = '';
    if (!group && field.length) {
      if (!inside && field.offset !== undefined) hex = hexPairs(octets, field.offset, field.length);
      else if (field.hex) hex = hexPairs(field.hex);
      else if (field.text && /^([0-9a-f]{2})+$/.test(field.text)) hex = hexPairs(field.text);
      else if (field.number !== undefined && field.length <= 4) hex = hexPairs(field.number.toString(16).padStart(2 * field.length, '0'));
    }
    return [{ depth, field, path: here, hex, group, inner: inside }, ...flatten(field.fields ?? [], octets, depth + 1, here, inside)];
  });
}

function Octets({ hex }: { hex: string }) {
  const [all, setAll] = useState(false);
  const long = hex.length > SHOWN * 3;
  return (
    <>
      <code>{all || !long ? hex : hex.slice(0, SHOWN * 3)}</code>
      {long && <button type="button" class="link small" aria-expanded={all} onClick={() => setAll(!all)}>{all ? 'fewer' : `… all ${(hex.length + 1) / 3}`}</button>}
    </>
  );
}

function Value({ line }: { line: Line }) {
  const { field, hex } = line;
  if (!field.text) return <>{field.number ?? ''}</>;
  return hexPairs(field.text) === hex && hex.length > 12 ? <span class="mute">as it stands</span> : <>{field.text}</>; // not the same octets twice
}

export function Octagram({ tree, octets, caption }: { tree: Run['messages'][number]['tree']; octets: string; caption: string }) {
  const [closed, setClosed] = useState<ReadonlySet<string>>(new Set());
  const lines = flatten(tree.fields ?? [], octets);
  const visible = lines.filter((l) => ![...closed].some((c) => l.path.startsWith(c + '/')));
  const toggle = (path: string) => {
    const now = new Set(closed);
    if (!now.delete(path)) now.add(path);
    setClosed(now);
  };
  return (
    <Scroll label={caption} className="fields">
      <table>
        <caption class="hidden">{caption}</caption>
        <thead><tr><th scope="col" class="num">at</th><th scope="col">field</th><th scope="col">octets</th><th scope="col">value</th></tr></thead>
        <tbody>
          {visible.map((l) => (
            <tr key={l.path} class={`${l.group ? 'group' : ''} ${l.inner ? 'inner' : ''}`}>
              <td class="num">{l.field.offset ?? ''}</td>
              <th scope="row" style={{ paddingLeft: `${0.4 + l.depth * 0.9}rem` }}>
                {l.group
                  ? <button type="button" class="link" aria-expanded={!closed.has(l.path)} onClick={() => toggle(l.path)}>
                      <span aria-hidden="true">{closed.has(l.path) ? '▸ ' : '▾ '}</span>{l.field.name}</button>
                  : l.field.name}
              </th>
              <td class="octets"><Octets hex={l.hex} />{l.group && l.field.length !== undefined && <span class="mute">{count(l.field.length)} octets</span>}</td>
              <td class="value"><Value line={l} /></td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

function Fact({ name, children }: { name: string; children: ComponentChildren }) {
  return <div><dt>{name}</dt><dd>{children}</dd></div>;
}

/** `focus`: it was opened by the keyboard, which goes on in it. */
export function MessagePanel(props: { run: Run; row: Row; focus: boolean; onClose: () => void }) {
  const { run, row } = props;
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => { if (props.focus) heading.current?.focus(); }, []);
  const message = row.message === null ? null : run.messages[row.message];
  const title = [row.label, row.mikey].filter(Boolean).join(' with ');
  return (
    <aside class="panel" aria-label="The chosen message" onKeyDown={(e) => { if (e.key === 'Escape') props.onClose(); }}>
      <div class="panel-head">
        <h3 ref={heading} tabIndex={-1}>{title}</h3>
        <button type="button" onClick={props.onClose}>Close</button>
      </div>
      <dl class="facts">
        <Fact name="way">{run.nodes[row.from]?.name} → {run.nodes[row.to]?.name}</Fact>
        <Fact name="sent">{moment(row.ns)} s</Fact>
        <Fact name="arrived">{row.lost ? 'lost' : row.arrived_ns === null ? '–' : `${moment(row.arrived_ns)} s, after ${duration(row.arrived_ns - row.ns)}`}</Fact>
        {row.transport && <Fact name="transport">{row.transport.toUpperCase()}{row.octets !== null && `, ${count(row.octets)} octets`}</Fact>}
        {row.copies > 1 && <Fact name="copies">{count(row.copies)}</Fact>}
        {row.dialog !== null && <Fact name="dialog">#{row.dialog}</Fact>}
        {row.mikey && <Fact name="MIKEY content readable by">{row.readers.length ? row.readers.join(', ') : 'nobody in this run'}</Fact>}
        {row.adversary && <Fact name="adversary"><strong class="k-adversary">{row.adversary}</strong></Fact>}
        {row.note && <Fact name="note">{row.note}</Fact>}
      </dl>
      {message?.tree.error && <p class="bad">{message.tree.error.text ?? message.tree.error.name}</p>}
      {message && <Octagram tree={message.tree} octets={message.octets} caption={`Fields of ${row.mikey ?? row.label}`} />}
      {!message && row.mikey && <p class="note">Its octets are not in this report: the run was made without captures.</p>}
    </aside>
  );
}
