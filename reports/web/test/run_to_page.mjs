// RUN of a run folder, for the tests of the page alone: what reports/page_run.c makes in C, in short.
// The octets of a message are put together from the leaves of its decoded tree.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const ns = (t) => Math.round(t * 1e9);
const KINDS = { pcscf: 'pcscf', icscf: 'icscf', scscf: 'scscf', hss: 'hss', kms: 'kms', mailbox: 'mailbox' };

function events(dir) {
  return readFileSync(join(dir, 'events.jsonl'), 'utf8').trim().split('\n').map((line) => JSON.parse(line));
}

/** JSON whose large integers would lose digits as numbers. */
const parseBig = (text) => JSON.parse(text.replace(/"number":(\d{16,})/g, '"number":"$1"'));

function decoded(ibakelab, dir) {
  const capture = join(dir, 'capture/all.pcap');
  if (!existsSync(capture)) return [];
  const args = ['decode', '--json', '--keylog', join(dir, 'keys.log'), capture];
  let text;
  try {
    text = execFileSync(ibakelab, args, { maxBuffer: 1 << 28 }).toString();
  } catch (error) {
    text = error.stdout.toString(); // a V that is wrong, in a capture of an attack
  }
  return parseBig(text).messages;
}

function octetsOf(tree) {
  const hex = Array(2 * tree.octets).fill('0');
  const put = (offset, text) => [...text].forEach((c, i) => { if (c !== '0') hex[2 * offset + i] = c; });
  const walk = (fields) => fields.forEach((f) => {
    if (f.offset === undefined) return; // decrypted content is not part of the message
    if (f.fields) return walk(f.fields);
    if (f.hex) return put(f.offset, f.hex);
    if (f.name === 'V' && f.length === 1) return f.number ? put(f.offset, '8') : undefined;
    if (f.number !== undefined) return put(f.offset, BigInt(f.number).toString(16).padStart(2 * f.length, '0'));
    if (f.text && /^(0x)?[0-9a-f]+$/.test(f.text)) put(f.offset, f.text.replace('0x', '').padStart(2 * f.length, '0'));
  });
  walk(tree.fields ?? []);
  return hex.join('');
}

const CONTENT = { I_MESSAGE_1: ['xP'], R_MESSAGE_1: ['yP'], I_MESSAGE_2: ['yP'], R_MESSAGE_2: [], REQUEST_KEY_RESP: ['private-key'] };

function readersOf(result, mikey, callId) {
  const wanted = CONTENT[mikey] ?? [];
  return result.knowledge.parties.filter((p) => p.knows.some((f) => wanted.includes(f.what) && (!f.call || f.call === callId))).map((p) => p.party);
}

function rowsOf(list, nodeOf, result, callId, messageOf) {
  const rows = [];
  list.forEach((e, i) => {
    if (e.kind === 'attack') {
      rows.push({ ns: ns(e.t), arrived_ns: null, from: nodeOf(e.sender ?? e.node), to: nodeOf(e.receiver ?? e.node), label: `${e.node}: ${e.text}`, mikey: e.what?.includes('_') ? e.what : null,
        kind: 'attack', transport: null, octets: null, copies: 1, lost: false, dialog: null, note: null, adversary: `${e.node}: ${e.text}`, readers: [], message: null });
      return;
    }
    if (e.event !== 'sent' || (e.kind !== 'sip' && e.kind !== 'http')) return;
    const arrived = list.slice(i).find((r) => r.event === 'received' && r.kind === e.kind && r.peer === e.node && r.node === e.peer && r.label === e.label && r.cseq === e.cseq);
    const before = rows.find((r) => r.key === `${e.node} ${e.peer} ${e.label} ${e.cseq}` && e.retransmission);
    if (before) { before.copies++; if (arrived) before.lost = false; return; }
    rows.push({ key: `${e.node} ${e.peer} ${e.label} ${e.cseq}`, ns: ns(e.t), arrived_ns: arrived ? ns(arrived.t) : null, from: nodeOf(e.node), to: nodeOf(e.peer), label: e.label,
      mikey: e.mikey ?? null, kind: e.kind, transport: e.transport, octets: e.octets, copies: 1, lost: !arrived, dialog: null, note: null, adversary: null,
      readers: e.mikey ? readersOf(result, e.mikey, callId) : [], message: e.mikey ? messageOf(e) : null });
  });
  return rows.map(({ key, ...row }) => row);
}

/** `ibakelab` is the binary that decodes the capture. */
export function runToPage(ibakelab, dir) {
  const result = JSON.parse(readFileSync(join(dir, 'result.json'), 'utf8'));
  const log = events(dir);
  const names = [...new Set([...result.users.map((u) => u.node), ...result.links.flatMap((l) => [l.a, l.b]), ...result.adversaries.map((a) => a.name)])];
  const nodes = names.map((name) => {
    const role = name.split('.')[0];
    const kind = result.adversaries.some((a) => a.name === name) ? 'adversary' : KINDS[role] ?? (name.startsWith('core.') ? 'other' : 'ue');
    const user = result.users.find((u) => u.node === name);
    return { name, kind, domain: user ? user.impu.split('@')[1] ?? null : name.includes('.') ? name.slice(name.indexOf('.') + 1) : null };
  });
  const nodeOf = (name) => Math.max(0, names.indexOf(name));
  const all = decoded(ibakelab, dir);
  const start = log[0].start_utc_ns ?? 0;
  const messages = [];
  const place = new Map();
  const messageOf = (e) => {
    const fits = (m) => m.message === e.mikey && (!m.origin.call_id || !e.call || m.origin.call_id === e.call);
    let found = all.find((m) => fits(m) && Number(m.origin.time) * 1e9 - Number(start) >= ns(e.t) - 1e3) ?? all.find(fits);
    if (found?.same_as) found = all[found.same_as - 1];
    if (!found?.fields) return null;
    if (!place.has(found)) {
      place.set(found, messages.length);
      const { origin, ...tree } = found;
      messages.push({ octets: octetsOf(found), tree });
    }
    return place.get(found);
  };
  const ids = new Set(result.calls.map((c) => c.call_id));
  const ladders = result.calls.slice(0, 50).map((c, i) => ({ call: i, title: `Call ${c.id}: ${c.from} to ${c.to}`,
    rows: rowsOf(log.filter((e) => e.call === c.call_id), nodeOf, result, c.id, messageOf) }));
  ladders.push({ call: null, title: 'Registration and keys', rows: rowsOf(log.filter((e) => !ids.has(e.call)).slice(0, 400), nodeOf, result, null, messageOf) });
  const files = existsSync(join(dir, 'capture')) ? readdirSync(join(dir, 'capture')).map((f) => `capture/${f}`) : [];
  const links = result.links.map((l) => ({ a: l.a, b: l.b, messages: log.filter((e) => e.event === 'sent' && e.peer && (e.node === l.a || e.peer === l.a)).length,
    octets: l.a_to_b.octets + l.b_to_a.octets, packets: l.a_to_b.packets + l.b_to_a.packets, lost: l.a_to_b.lost + l.b_to_a.lost,
    capture: files.find((f) => f.includes(l.name)) ?? null }));
  const states = log.filter((e) => e.kind === 'mikey' && e.event === 'state').map((e) => ({ call: null, node: nodeOf(e.node), ns: ns(e.t), what: e.what }));
  return { nodes, links, ladders, left_out: Math.max(0, result.calls.length - 50), messages, captures: files, states };
}
