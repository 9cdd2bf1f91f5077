// The network: one box a domain, with what serves it above its core and the users below; lines as thick as what they carried.
import { useMemo } from 'preact/hooks';
import { Figure, Legend } from '../ui/basic';
import { Plain } from '../ui/table';
import { useWidth } from '../ui/hooks';
import { byName, count, octets, plural } from '../format';
import type { Run, RunResult } from '../types';

export interface Place { name: string; kind: string; domain: string; x: number; y: number; many?: number }
export interface Line {
  a: Place; b: Place; octets: number; packets: number; lost: number; links: number; messages: number | null;
  seats: { adversary: string; inside: string | null }[]; // who sits on it
}
export interface Box { domain: string; x: number; y: number; width: number; height: number }
export interface Map_ { places: Place[]; lines: Line[]; boxes: Box[]; width: number; height: number }

const STACK = 8; // more users than this in a domain are drawn as one

/** What is known of a node by its name, and where there is no RUN by how names are made. */
class Directory {
  private known: Map<string, Run['nodes'][number]>;
  private users: Set<string>;
  private adversaries: Set<string>;
  private neighbour = new Map<string, string>();

  constructor(result: RunResult, run: Run | undefined) {
    this.known = new Map((run?.nodes ?? []).map((n) => [n.name, n]));
    this.users = new Set(result.users.flatMap((u) => [u.node, u.name]));
    this.adversaries = new Set(result.adversaries.map((a) => a.name));
    for (const { a, b } of result.links) this.neighbour.set(a, this.neighbour.get(a) ?? b).set(b, this.neighbour.get(b) ?? a);
  }

  kind(name: string): string {
    const kind = this.known.get(name)?.kind;
    if (kind && kind !== 'other') return kind;
    const role = /^(pcscf|icscf|scscf|hss|kms|mailbox|core)\./.exec(name)?.[1];
    return role ?? (this.adversaries.has(name) ? 'adversary' : this.users.has(name) ? 'ue' : 'other');
  }

  /** A user, and an adversary, belong where their link ends. */
  domain(name: string, kind: string): string {
    const domain = this.known.get(name)?.domain;
    if (domain) return domain;
    const dotted = /^[a-z]+\.(.+)$/.exec(name);
    if (dotted && kind !== 'ue' && kind !== 'adversary') return dotted[1];
    return /^core\.(.+)$/.exec(this.neighbour.get(name) ?? '')?.[1] ?? '';
  }
}

const ROW: Record<string, number> = { kms: 0, hss: 0, mailbox: 0, pcscf: 0, icscf: 0, scscf: 0, core: 1, other: 1, ue: 2, adversary: 2 };
const ORDER = ['pcscf', 'icscf', 'scscf', 'hss', 'kms', 'mailbox', 'core', 'other', 'ue', 'adversary'];

/** Where everything stands. `wide` is how much room there is. */
export function layout(result: RunResult, run: Run | undefined, wide: number): Map_ {
  const names = new Set<string>();
  for (const link of result.links) names.add(link.a).add(link.b);
  for (const adversary of result.adversaries) names.add(adversary.name);
  for (const node of run?.nodes ?? []) if (node.kind === 'adversary') names.add(node.name);
  const directory = new Directory(result, run);
  const byDomain = new Map<string, Place[]>();
  const stand = new Map<string, Place>();
  for (const name of names) {
    const kind = directory.kind(name);
    const domain = directory.domain(name, kind);
    const place = { name, kind, domain, x: 0, y: 0 };
    if (!byDomain.has(domain)) byDomain.set(domain, []);
    byDomain.get(domain)!.push(place);
    stand.set(name, place);
  }
  for (const [domain, list] of byDomain) {
    const users = list.filter((p) => p.kind === 'ue');
    if (users.length <= STACK) continue;
    const stack: Place = { name: plural(users.length, 'user'), kind: 'ue', domain, x: 0, y: 0, many: users.length };
    for (const user of users) stand.set(user.name, stack);
    byDomain.set(domain, [...list.filter((p) => p.kind !== 'ue'), stack]);
  }
  const domains = [...byDomain.keys()].sort(byName);
  const across = Math.max(1, Math.min(domains.length, Math.floor(wide / 420)));
  const boxWidth = Math.min(1240, Math.floor((wide - 16 * (across - 1)) / across));
  const height = 320;
  const boxes: Box[] = [];
  domains.forEach((domain, d) => {
    const box = { domain, x: (d % across) * (boxWidth + 16), y: Math.floor(d / across) * (height + 16), width: boxWidth, height };
    boxes.push(box);
    const rows: Place[][] = [[], [], []];
    for (const place of byDomain.get(domain)!) rows[ROW[place.kind] ?? 1].push(place);
    rows.forEach((row, r) => {
      row.sort((a, b) => ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind) || byName(a.name, b.name));
      row.forEach((place, i) => {
        place.x = box.x + (boxWidth * (i + 0.5)) / row.length;
        place.y = box.y + 76 + r * 96 + (r !== 1 && boxWidth / row.length < 110 && i % 2 ? 26 : 0); // close neighbours in two steps
      });
    });
  });
  return { places: [...byDomain.values()].flat(), lines: lines(result, run, stand), boxes,
    width: across * (boxWidth + 16) - 16, height: Math.ceil(domains.length / across) * (height + 16) - 16 };
}

/** Who sits on a link, or in the node at its end. */
function seatsOn(result: RunResult, link: string): Line['seats'] {
  return result.adversaries.flatMap((a) => (a.seats ?? []).filter((s) => s.link === link).map((s) => ({ adversary: a.name, inside: s.inside })));
}

/** "mallory in pcscf.home.example, eve" */
const seatWords = (seats: Line['seats']) => seats.map((s) => (s.inside ? `${s.adversary} in ${s.inside}` : s.adversary)).join(', ');

function lines(result: RunResult, run: Run | undefined, stand: Map<string, Place>): Line[] {
  const found = new Map<string, Line>();
  const name = (node: number) => run!.nodes[node]?.name;
  const messages = new Map((run?.links ?? []).map((l) => [`${name(l.a)}\n${name(l.b)}`, l.messages]));
  for (const link of result.links) {
    const a = stand.get(link.a)!;
    const b = stand.get(link.b)!;
    const key = `${a.domain}\n${a.name}\n${b.domain}\n${b.name}`;
    const line = found.get(key) ?? { a, b, octets: 0, packets: 0, lost: 0, links: 0, messages: null, seats: [] };
    line.octets += link.a_to_b.octets + link.b_to_a.octets;
    line.packets += link.a_to_b.packets + link.b_to_a.packets;
    line.lost += link.a_to_b.lost + link.b_to_a.lost;
    line.links++;
    line.seats.push(...seatsOn(result, link.name));
    const seen = messages.get(`${link.a}\n${link.b}`);
    if (seen !== undefined) line.messages = (line.messages ?? 0) + seen;
    found.set(key, line);
  }
  return [...found.values()];
}

const SIGNS: Record<string, string> = { ue: '', kms: 'KMS', hss: 'HSS', mailbox: 'MBX', adversary: '!', pcscf: 'P', icscf: 'I', scscf: 'S', core: 'core' };

function Node({ place }: { place: Place }) {
  const short = place.domain && place.kind !== 'ue' ? place.name.replace(`.${place.domain}`, '') : place.name;
  const shape = place.kind === 'adversary' ? <path d="M-18,0L-9,-16H9L18,0L9,16H-9Z" />
    : place.kind === 'ue' ? <rect x="-11" y="-17" width="22" height="34" rx="5" />
    : place.kind === 'core' ? <ellipse rx="34" ry="17" /> : <rect x="-17" y="-15" width="34" height="30" rx="4" />;
  return (
    <g class={`node ${place.kind}`} transform={`translate(${place.x},${place.y})`}>
      <title>{place.many ? `${place.many} users` : place.name}</title>
      {place.many && <rect x="-6" y="-21" width="22" height="34" rx="5" />}
      {shape}
      <text y={place.kind === 'core' ? 4 : 5} text-anchor="middle" class="glyph">{SIGNS[place.kind] ?? ''}</text>
      {place.kind !== 'core' && <text y={place.kind === 'ue' || place.kind === 'adversary' ? 34 : -22} text-anchor="middle">{short.length > 22 ? short.slice(0, 21) + '…' : short}</text>}
    </g>
  );
}

/** A red sign with the adversary's name: on the line, or close to the node that it is in. */
function SeatMark({ line }: { line: Line }) {
  const inside = line.seats[0].inside;
  const at = inside === line.b.name ? 0.8 : inside ? 0.2 : 0.62;
  const names = [...new Set(line.seats.map((s) => s.adversary))].join(', ');
  return (
    <g class="sitting" transform={`translate(${line.a.x + (line.b.x - line.a.x) * at},${line.a.y + (line.b.y - line.a.y) * at})`}>
      <title>{`adversary: ${seatWords(line.seats)}`}</title>
      <path d="M-9,0L-4.5,-8H4.5L9,0L4.5,8H-4.5Z" />
      <text y="4" text-anchor="middle" class="glyph">!</text>
      <text x="13" y="4">{names.length > 16 ? names.slice(0, 15) + '…' : names}</text>
    </g>
  );
}

export function Topology({ result, run }: { result: RunResult; run?: Run }) {
  const [ref, width] = useWidth<HTMLDivElement>();
  const map = useMemo(() => layout(result, run, width), [result, run, width]);
  const most = Math.max(...map.lines.map((l) => l.octets), 1);
  const attacked = map.lines.some((l) => l.seats.length > 0);
  const legend = attacked ? 'adversary: its own node, and with its name the links on which it sits; next to a node: in that node'
    : result.adversaries.every((a) => a.seats) ? 'adversary, off path: it sits on no link' : 'adversary'; // results of before have no seats
  const rows = result.links.map((l) => [
    `${l.a} – ${l.b}`, count(l.a_to_b.packets), octets(l.a_to_b.octets), count(l.a_to_b.lost), count(l.b_to_a.packets), octets(l.b_to_a.octets),
    count(l.b_to_a.lost), ...(attacked ? [seatWords(seatsOn(result, l.name))] : []),
  ]);
  return (
    <Figure
      caption="Nodes and links; a line is the thicker the more it carried, and dashed where packets were lost."
      table={<Plain caption="What each link carried, in both directions" numbers={[1, 2, 3, 4, 5, 6]}
        head={['link', 'packets →', 'octets →', 'lost →', 'packets ←', 'octets ←', 'lost ←', ...(attacked ? ['adversary'] : [])]} rows={rows.slice(0, 500)} />}>
      <div ref={ref} class="scroll drawing">
        <svg width={map.width} height={map.height} role="img" aria-label={`Topology: ${map.places.length} nodes in ${map.boxes.length} domains`} class="topology">
          {map.boxes.map((b) => (
            <g key={b.domain}>
              <rect class="domain" x={b.x + 1} y={b.y + 1} width={b.width - 2} height={b.height - 2} rx="10" />
              <text class="domain-name" x={b.x + 14} y={b.y + 24}>{b.domain || 'no domain'}</text>
            </g>
          ))}
          {map.lines.map((l) => (
            <g key={`${l.a.name}-${l.b.name}`} class={`link ${l.lost ? 'lossy' : ''} ${l.seats.length ? 'seat' : ''}`}>
              <line x1={l.a.x} y1={l.a.y} x2={l.b.x} y2={l.b.y} stroke-width={1 + 7 * Math.sqrt(l.octets / most)} stroke-dasharray={l.lost ? '7 4' : undefined}>
                <title>{`${l.a.name} – ${l.b.name}: ${plural(l.packets, 'packet')}, ${octets(l.octets)}${l.lost ? `, ${l.lost} lost` : ''}${l.messages !== null ? `, ${plural(l.messages, 'message')}` : ''}${l.seats.length ? `; adversary: ${seatWords(l.seats)}` : ''}`}</title>
              </line>
            </g>
          ))}
          {map.places.map((p) => <Node key={`${p.domain}/${p.name}`} place={p} />)}
          {map.lines.filter((l) => l.seats.length > 0).map((l) => <SeatMark key={`${l.a.name}-${l.b.name}`} line={l} />)}
          {map.lines.map((l) => (
            <text key={`${l.a.name}-${l.b.name}`} class="carried" text-anchor="middle" x={l.a.x + (l.b.x - l.a.x) * 0.42} y={l.a.y + (l.b.y - l.a.y) * 0.42 + 4}>{octets(l.octets)}</text>
          ))}
        </svg>
      </div>
      {result.adversaries.length > 0 && <Legend entries={[{ tone: 'k-adversary', text: legend }]} />}
    </Figure>
  );
}
