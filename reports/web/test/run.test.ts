import assert from 'node:assert/strict';
import { test } from 'node:test';
import { columnsIn, onlyOf, readerTone } from '../src/run/ladder';
import { signOf } from '../src/run/knowledge';
import { flatten } from '../src/run/message';
import { barsOf, lanesOf, loadOf, partsOf } from '../src/run/times';
import { layout } from '../src/run/topology';
import { bins } from '../src/ui/chart';
import type { Fact, Field, Ladder, Row, Run, RunResult, Seat } from '../src/types';
import { run as sampleRun } from './samples.mjs';

const row = (from: number, to: number, more: Partial<Row> = {}): Row => ({
  ns: 0, arrived_ns: 1, from, to, label: 'INVITE', mikey: null, kind: 'sip', transport: 'udp', octets: 1, copies: 1, lost: false, dialog: null, note: null,
  adversary: null, readers: [], message: null, ...more,
});
const sample = (n: number) => sampleRun(n) as unknown as RunResult;

test('columns: the first user, the network, the other users', () => {
  const run = { nodes: ['alice', 'pcscf.a', 'bob', 'scscf.a'].map((name) => ({ name, kind: name.includes('.') ? name.split('.')[0] : 'ue', domain: null })) } as unknown as Run;
  const ladder: Ladder = { call: 0, title: '', rows: [row(0, 1), row(1, 2), row(1, 3), row(3, 2)] };
  assert.deepEqual(columnsIn(ladder, run), [0, 1, 3, 2]);
});

test('the messages of one node', () => {
  const ladder: Ladder = { call: null, title: 'keys', rows: [row(0, 1), row(2, 1), row(1, 0), row(3, 2)] };
  assert.deepEqual(onlyOf(ladder, 0).rows, [ladder.rows[0], ladder.rows[2]]);
  assert.equal(onlyOf(ladder, null), ladder);
});

test('the colour of a message is that of the most dangerous reader', () => {
  const kinds = new Map([['alice', 'user'], ['kms.a', 'kms'], ['mallory', 'adversary']]);
  const tone = (readers: string[], mikey: string | null = 'I_MESSAGE_1') => readerTone(row(0, 1, { mikey, readers }), kinds);
  assert.equal(tone(['alice', 'kms.a', 'mallory']), 'adversary');
  assert.equal(tone(['alice', 'kms.a']), 'kms');
  assert.equal(tone(['alice']), 'ends');
  assert.equal(tone([]), 'nobody');
  assert.equal(tone(['alice'], null), '');
});

test('fields have their octets beside them, decrypted ones their own', () => {
  const fields: Field[] = [
    { name: 'HDR', offset: 0, length: 2, fields: [{ name: 'version', offset: 0, length: 1, number: 1 }, { name: 'type', offset: 1, length: 1, number: 22 }] },
    { name: 'IBAKE', offset: 2, length: 2, fields: [{ name: 'encr data', offset: 2, length: 2, hex: 'aabb' },
      { name: 'decrypted content', fields: [{ name: 'IDR', offset: 0, length: 3, fields: [{ name: 'next', offset: 0, length: 1, number: 25 }, { name: 'id', offset: 1, length: 2, text: 'ab', hex: '6162' }] }] }] },
  ];
  const lines = flatten(fields, '0116aabb');
  assert.deepEqual(lines.map((l) => [l.field.name, l.depth, l.hex, l.inner]), [['HDR', 0, '', false], ['version', 1, '01', false], ['type', 1, '16', false], ['IBAKE', 0, '', false],
    ['encr data', 1, 'aa bb', false], ['decrypted content', 1, '', true], ['IDR', 2, '', true], ['next', 3, '19', true], ['id', 3, '61 62', true]]);
  assert.equal(new Set(lines.map((l) => l.path)).size, lines.length);
});

test('signs of knowledge', () => {
  const fact = (how: string): Fact => ({ what: 'xP', call: null, how, at_ns: 0, step: '' });
  assert.equal(signOf([])[0], '·');
  assert.equal(signOf([fact('held')])[0], '•');
  assert.equal(signOf([fact('held'), fact('decrypted')])[0], '✓');
  assert.equal(signOf([fact('decrypted'), fact('broken-in')])[0], '‼');
});

test('the parts of a set-up time add up to it', () => {
  const calls = sample(50).calls.filter((c) => c.setup);
  assert.ok(calls.length > 40);
  for (const call of calls) assert.equal(partsOf(call.setup!).reduce((sum, p) => sum + p.value, 0), call.setup_ns);
});

test('of many calls: the mean and some quantiles', () => {
  const calls = sample(300).calls.filter((c) => c.setup);
  const bars = barsOf(calls);
  const whole = (i: number) => bars[i].parts.reduce((sum, p) => sum + p.value, 0);
  const times = calls.map((c) => c.setup_ns!).sort((a, b) => a - b);
  assert.equal(bars.length, 6);
  assert.ok(Math.abs(whole(0) - times.reduce((sum, t) => sum + t, 0) / times.length) < 1);
  assert.equal(whole(1), times[0]);
  assert.equal(whole(5), times[times.length - 1]);
  assert.equal(barsOf(calls.slice(0, 5)).length, 5);
});

test('calls under way', () => {
  const call = (invite_ns: number | null, ended_ns: number | null) => ({ invite_ns, ended_ns }) as never;
  assert.deepEqual(loadOf([call(1, 5), call(2, null), call(null, null), call(5, 6)]), [{ at: 1, n: 1 }, { at: 2, n: 2 }, { at: 5, n: 3 }, { at: 5, n: 2 }, { at: 6, n: 1 }]);
  assert.ok(loadOf(sample(10000).calls).length <= 1501);
});

test('time lines: the users of the chosen call where there are many', () => {
  const result = sample(200);
  const calls = result.calls.slice(0, 5);
  const names = lanesOf(result, undefined, calls, calls[0]).map((l) => l.name);
  assert.deepEqual(names.slice(-5), calls.map((c) => c.id));
  assert.deepEqual(new Set(names.slice(0, -5)), new Set([calls[0].from, calls[0].to]));
  assert.equal(lanesOf(result, undefined, [], null).length, 12); // no call: the first users
});

test('bins hold every value, once', () => {
  for (const values of [[1], [1, 1, 1], [0, 1, 2, 3, 4, 5], Array.from({ length: 1000 }, (_, i) => Math.sin(i) + 2)]) {
    const list = bins(values);
    assert.equal(list.reduce((sum, b) => sum + b.n, 0), values.length);
    assert.ok(list[0].from <= Math.min(...values) && list[list.length - 1].to >= Math.max(...values));
  }
  assert.deepEqual(bins([]), []);
});

test('topology: who sits on a link, or in the node at its end', () => {
  const result = sample(10);
  const [first, second] = result.links;
  const adversary = (name: string, seats?: Seat[]) => ({ name, seats, messages: { seen: 0, changed: 0, dropped: 0, delayed: 0, sent: 0 }, rules: [] });
  result.adversaries = [adversary('mallory', [{ link: first.name, inside: null }, { link: second.name, inside: second.a }]), adversary('eve', []), adversary('old')];
  const sat = layout(result, undefined, 900).lines.filter((l) => l.seats.length > 0);
  assert.deepEqual(sat.map((l) => [l.a.name, l.seats]), [[first.a, [{ adversary: 'mallory', inside: null }]], [second.a, [{ adversary: 'mallory', inside: second.a }]]]);
});

test('topology: messages on a link, whose ends a run names by number', () => {
  const result = sample(10);
  const nodes = [...new Set(result.links.flatMap((l) => [l.a, l.b]))].map((name) => ({ name, kind: 'other', domain: null }));
  const at = (name: string) => nodes.findIndex((n) => n.name === name);
  const links = result.links.map((l, i) => ({ a: at(l.a), b: at(l.b), messages: i, octets: 1, packets: 1, lost: 0, capture: null }));
  const lines = layout(result, { nodes, links } as unknown as Run, 900).lines;
  const sum = lines.reduce((total, l) => total + (l.messages ?? 0), 0);
  assert.equal(sum, links.reduce((total, l) => total + l.messages, 0));
});

test('topology: nodes stand apart, inside their domain; many users are one', () => {
  for (const width of [360, 900, 1300]) {
    const map = layout(sample(200), undefined, width);
    assert.equal(map.boxes.length, 2);
    assert.equal(map.places.filter((p) => p.kind === 'ue').length, 2);
    assert.ok(map.places.some((p) => p.many === 20));
    for (const p of map.places) {
      const box = map.boxes.find((b) => b.domain === p.domain)!;
      assert.ok(p.x > box.x && p.x < box.x + box.width && p.y > box.y && p.y < box.y + box.height, p.name);
      for (const q of map.places) if (p !== q) assert.ok(Math.hypot(p.x - q.x, p.y - q.y) > 30, `${p.name} ${q.name} at ${width}`);
    }
    const carried = map.lines.reduce((sum, l) => sum + l.octets, 0);
    assert.equal(carried, sample(200).links.reduce((sum, l) => sum + l.a_to_b.octets + l.b_to_a.octets, 0));
  }
});
