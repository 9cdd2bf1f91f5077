// The page of one run.
import { useMemo, useState } from 'preact/hooks';
import { Badge, Section, Tiles } from '../ui/basic';
import type { TileSpec } from '../ui/basic';
import { DataTable, Plain } from '../ui/table';
import type { Column } from '../ui/table';
import { Checks } from '../kinds/checks';
import { Topology } from './topology';
import { LadderLegend, LadderView } from './ladder';
import { Knowledge } from './knowledge';
import { Distribution, Load, SetupParts, TimeLines } from './times';
import { count, duration, octets, percent, plural } from '../format';
import type { Call, Item, RunResult, User } from '../types';

function tiles(r: RunResult): TileSpec[] {
  const held = r.expectations.filter((e) => e.held).length;
  const holds = r.properties.filter((p) => p.holds).length;
  const lost = r.links.reduce((sum, l) => sum + l.a_to_b.lost + l.b_to_a.lost, 0);
  const packets = r.links.reduce((sum, l) => sum + l.a_to_b.packets + l.b_to_a.packets, 0);
  const learned = r.knowledge.parties.filter((p) => p.kind === 'adversary')
    .flatMap((p) => p.knows).filter((f) => f.how !== 'held' && f.how !== 'broken-in').length;
  return [
    { name: 'Expectations', value: `${held} of ${r.expectations.length}`, note: 'held', tone: held === r.expectations.length ? 'good' : 'bad' },
    { name: 'Security properties', value: `${holds} of ${r.properties.length}`, note: 'hold', tone: holds === r.properties.length ? 'good' : 'bad' },
    ...(r.calls.length ? [{ name: 'Calls established', value: `${count(r.summary.established)} of ${count(r.summary.calls)}`,
      note: r.summary.dropped ? `${count(r.summary.dropped)} of them dropped` : undefined }] : []),
    ...(r.summary.setup_ns ? [{ name: 'Set-up time', value: duration(r.summary.setup_ns.median),
      note: r.summary.calls > 1 ? `median; ${duration(r.summary.setup_ns.min)} to ${duration(r.summary.setup_ns.max)}` : undefined }] : []),
    { name: 'Packets lost', value: count(lost), note: `of ${count(lost + packets)}, on all links` },
    ...(r.adversaries.length ? [{ name: 'The adversary found out', value: plural(learned, 'secret'), tone: learned ? 'bad' as const : 'good' as const }] : []),
  ];
}

const CALL_COLUMNS: Column<Call>[] = [
  { id: 'id', head: 'call', cell: (c) => c.id, value: (c) => c.id, width: 18 },
  { id: 'from', head: 'from', cell: (c) => c.from, value: (c) => c.from, width: 14 },
  { id: 'to', head: 'to', cell: (c) => c.to + (c.answered_by && c.answered_by !== c.to ? ` (${c.answered_by})` : ''), value: (c) => `${c.to} ${c.answered_by ?? ''}`, width: 16 },
  { id: 'state', head: 'state', cell: (c) => <Badge of={c.state} />, value: (c) => c.state, width: 17 },
  { id: 'invite', head: 'INVITE at', number: true, cell: (c) => duration(c.invite_ns), value: (c) => c.invite_ns, width: 12 },
  { id: 'setup', head: 'set-up', number: true, cell: (c) => duration(c.setup_ns), value: (c) => c.setup_ns, width: 12 },
  { id: 'keys', head: 'keys', cell: (c) => (c.keys_agree ? 'agree' : '–'), value: (c) => (c.keys_agree ? 'agree' : 'none'), width: 9 },
  { id: 'media', head: 'media received', number: true, width: 17, value: (c) => c.media.reduce((sum, m) => sum + m.received, 0),
    cell: (c) => { const sent = c.media.reduce((s, m) => s + m.sent, 0); const got = c.media.reduce((s, m) => s + m.received, 0); return sent ? `${count(got)}/${count(sent)}` : '–'; } },
  { id: 'resent', head: 'resent', number: true, cell: (c) => count(c.retransmissions), value: (c) => c.retransmissions, width: 9 },
  { id: 'failure', head: 'why it failed', cell: (c) => c.failure ?? '', value: (c) => c.failure ?? '', width: 26 },
];
const CALL_FACETS = [{ id: 'state', label: 'State', of: (c: Call) => c.state }, { id: 'keys', label: 'Keys', of: (c: Call) => (c.keys_agree ? 'agree' : 'none') }];

function CallDetails({ call }: { call: Call }) {
  return (
    <>
      <p class="note">
        Call-ID <code>{call.call_id}</code>{call.csb_id && <>, CSB ID <code>{call.csb_id}</code></>}{call.sip_status && <>, SIP {call.sip_status}</>}
        {call.failure && <>: <strong>{call.failure}</strong></>}
      </p>
      {call.mikey.length > 0 && <p class="note">MIKEY: {call.mikey.map((m) => `${m.message} ${count(m.octets)} B`).join(', ')}</p>}
      {call.media.length > 0 && <Plain caption={`Media of call ${call.id}`} numbers={[3, 4, 5, 6, 7]}
        head={['stream', 'way', 'protection', 'sent', 'received', 'lost', 'jitter', 'refused by SRTP', 'content']}
        rows={call.media.map((m) => [m.stream + (m.codec ? ` ${m.codec}` : ''), `${m.from} → ${m.to}`, m.protected ? 'SRTP' : 'none', count(m.sent),
          count(m.received), count(m.lost), duration(m.jitter_ns), `${count(m.auth_failures)} false, ${count(m.replays)} repeated`,
          <Badge of={m.content_matches ? 'pass' : 'fail'}>{m.content_matches ? 'as it was sent' : 'changed'}</Badge>])} />}
      {call.updates.length > 0 && <Plain caption="Offers in mid call" head={['offer', 'by', 'in', 'at', 'took', 'outcome']} numbers={[3, 4]}
        rows={call.updates.map((u) => [u.do, u.by, u.carrier, duration(u.begun_ns), u.done_ns !== null && u.begun_ns !== null ? duration(u.done_ns - u.begun_ns) : '–',
          <Badge of={u.ok ? 'pass' : 'fail'}>{u.reason ?? 'accepted'}</Badge>])} />}
    </>
  );
}

const USER_COLUMNS: Column<User>[] = [
  { id: 'name', head: 'user', cell: (u) => u.name, value: (u) => u.name, width: 16 },
  { id: 'impu', head: 'identity', cell: (u) => u.impu, value: (u) => u.impu, width: 30 },
  { id: 'registered', head: 'registered after', number: true, width: 16, value: (u) => u.registered_ns,
    cell: (u) => (u.registered_ns === null || u.register_begin_ns === null ? '–' : duration(u.registered_ns - u.register_begin_ns)) },
  { id: 'keys', head: 'private keys', number: true, cell: (u) => count(u.keys), value: (u) => u.keys, width: 13 },
  { id: 'fetched', head: 'keys after', number: true, width: 13, value: (u) => u.keys_received_ns,
    cell: (u) => (u.keys_received_ns === null || u.keys_begin_ns === null ? '–' : duration(u.keys_received_ns - u.keys_begin_ns)) },
  { id: 'resent', head: 'resent', number: true, cell: (u) => count(u.retransmissions), value: (u) => u.retransmissions, width: 9 },
  { id: 'failure', head: 'failure', cell: (u) => u.failure ?? '', value: (u) => u.failure ?? '', width: 22 },
];

function Adversaries({ result }: { result: RunResult }) {
  return (
    <>
      {result.adversaries.map((a) => (
        <div key={a.name}>
          <p><strong class="k-adversary">{a.name}</strong>: {count(a.messages.seen)} messages passed its seats; it changed {count(a.messages.changed)},
            dropped {count(a.messages.dropped)}, delayed {count(a.messages.delayed)} and sent {count(a.messages.sent)} of its own.</p>
          <Plain caption={`Rules of ${a.name}`} head={['on', 'do', 'applied', 'could not be', 'why not']} numbers={[2, 3]}
            rows={a.rules.map((r) => [r.on, r.do, count(r.fired), count(r.failed), r.why ?? ''])} />
        </div>
      ))}
    </>
  );
}

interface Capture { path: string; href: string; packets: number | null; octets: number | null }

const CAPTURE_COLUMNS: Column<Capture>[] = [
  { id: 'path', head: 'file', cell: (c) => <a href={c.href}>{c.path}</a>, value: (c) => c.path },
  { id: 'packets', head: 'packets', number: true, cell: (c) => count(c.packets), value: (c) => c.packets, width: 14 },
  { id: 'octets', head: 'octets', number: true, cell: (c) => octets(c.octets), value: (c) => c.octets, width: 14 },
];

function Captures({ item }: { item: Item }) {
  const captures = useMemo(() => {
    const base = item.dir ? item.dir.replace(/\/$/, '') + '/' : '';
    const links = new Map(item.run!.links.map((l) => [l.capture, l]));
    return item.run!.captures.map((path): Capture => ({
      path, href: (base + path).split('/').map(encodeURIComponent).join('/'), packets: links.get(path)?.packets ?? null, octets: links.get(path)?.octets ?? null,
    }));
  }, [item]);
  return <DataTable caption="Captures in the result folder, as seen from where the report was made" columns={CAPTURE_COLUMNS} rows={captures} />;
}

export function Ladders({ item, call }: { item: Item; call: Call | null }) {
  const result = item.result as unknown as RunResult;
  const run = item.run!;
  const index = call ? result.calls.indexOf(call) : null;
  const own = run.ladders.findIndex((l) => l.call === index && index !== null);
  const [picked, setPicked] = useState<{ call: number | null; ladder: number } | null>(null);
  const at = picked && picked.call === index ? picked.ladder : own >= 0 ? own : run.ladders.findIndex((l) => l.call !== null || index === null);
  const ladder = run.ladders[Math.max(0, at)];
  if (!ladder) return <p class="note">This run left no messages.</p>;
  return (
    <>
      <div class="tools">
        {run.ladders.length > 1 && (
          <label>Ladder{' '}
            <select value={String(run.ladders.indexOf(ladder))} onChange={(e) => setPicked({ call: index, ladder: Number(e.currentTarget.value) })}>
              {run.ladders.map((l, i) => <option key={i} value={String(i)}>{l.title}</option>)}
            </select>
          </label>
        )}
        {call && own < 0 && <span class="note">The ladder of call {call.id} is not in this report: <code>ibakelab ladder</code> draws it.</span>}
        {run.left_out > 0 && <span class="note">{plural(run.left_out, 'call')} without a ladder here</span>}
      </div>
      <LadderLegend hasAdversary={result.adversaries.length > 0} />
      <LadderView ladder={ladder} run={run} result={result} />
    </>
  );
}

const NEAR = 20; // calls on the time lines

export function RunPage({ item, base, callIndex }: { item: Item; base: string; callIndex: number | null }) {
  const r = item.result as unknown as RunResult;
  const run = item.run;
  const first = r.calls.find((c) => c.state !== 'established') ?? r.calls[0] ?? null;
  const call = (callIndex !== null && r.calls[callIndex]) || first;
  const select = (c: Call) => { history.replaceState(null, '', `#${base}?call=${r.calls.indexOf(c)}`); dispatchEvent(new HashChangeEvent('hashchange')); };
  const near = useMemo(() => {
    const at = call ? r.calls.indexOf(call) : 0;
    const from = Math.max(0, Math.min(at - NEAR / 2, r.calls.length - NEAR));
    return r.calls.slice(from, from + NEAR);
  }, [r, call]);
  return (
    <>
      <Tiles tiles={tiles(r)} />
      <Section id="checks" title="Expectations and security properties"><Checks item={item} /></Section>
      {r.adversaries.length > 0 && <Section id="adversary" title="The adversary"><Adversaries result={r} /></Section>}
      {r.links.length > 0 && <Section id="topology" title="Topology"><Topology result={r} run={run} /></Section>}
      {r.calls.length > 0 && (
        <Section id="calls" title="Calls" note={r.calls.length > 1 ? 'Choose a call to see its ladder, its times and its media.' : undefined}>
          <DataTable caption="Calls" columns={CALL_COLUMNS} rows={r.calls} facets={CALL_FACETS} selected={call} onSelect={select} name={(c) => `call ${c.id}`} />
          {call && <div class="sub"><h3>Call {call.id}: {call.from} to {call.to}</h3><CallDetails call={call} /></div>}
        </Section>
      )}
      {run && <Section id="ladder" title="Ladder diagram"><Ladders item={item} call={call} /></Section>}
      {r.calls.length > 0 && <Section id="setup" title="Where the set-up time went"><SetupParts calls={r.calls} chosen={call} /></Section>}
      {r.calls.length > 2 && <Section id="distribution" title="Distribution of set-up times"><Distribution calls={r.calls} /></Section>}
      <Section id="timelines" title="Time lines"><Load result={r} /><TimeLines result={r} run={run} calls={near} chosen={call} /></Section>
      {r.knowledge.parties.length > 0 && <Section id="knowledge" title="What each party learned"><Knowledge result={r} call={call?.id} /></Section>}
      {r.messages.length > 0 && <Section id="messages" title="Messages left"><Plain caption="Content under a secret key of its own"
        head={['from', 'for', 'mailbox', 'stored', 'delivered', 'mailbox could read it', 'arrived']} numbers={[3, 4]}
        rows={r.messages.map((m) => [m.from, m.recipient ?? m.to, m.via ?? '–', duration(m.stored_ns), duration(m.delivered_ns), m.readable ? 'yes' : 'no',
          m.refused ? <Badge of="fail">{m.reason ?? 'refused'}</Badge> : m.delivered_ns === null ? 'not yet' : <Badge of={m.intact ? 'pass' : 'fail'}>{m.intact ? 'intact' : 'changed'}</Badge>])} /></Section>}
      <Section id="users" title="Users and KMSs">
        <DataTable caption="Users" columns={USER_COLUMNS} rows={r.users} />
        {r.kms.length > 0 && <Plain caption="Key management services" numbers={[2, 3, 4, 5]} head={['KMS', 'domain', 'requests', 'served', 'refused', 'keys issued', 'refused for']}
          rows={r.kms.map((k) => [k.identity, k.domain, count(k.requests), `${count(k.served)} (${percent(k.served, k.requests)})`, count(k.refused), count(k.keys_issued),
            Object.entries(k.refused_for).map(([why, n]) => `${why} ×${n}`).join(', ')])} />}
      </Section>
      {run && run.captures.length > 0 && <Section id="captures" title="Captures"><Captures item={item} /></Section>}
    </>
  );
}

