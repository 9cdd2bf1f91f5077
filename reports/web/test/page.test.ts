import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { comparisons } from '../src/app';
import { knowledgeDifferences } from '../src/compare';
import { loadItems } from '../src/data';
import { axis, byName, count, duration, hexPairs, octets, quantile, short } from '../src/format';
import { itemAt, labels, twinOf } from '../src/model';
import { parseRoute } from '../src/ui/hooks';
import type { Item, Result, RunResult } from '../src/types';

const item = (kind: string, subject: string, dir: string, more: Record<string, unknown> = {}): Item => ({
  dir, checks: [], measures: [], result: { schema: 'ibakelab-result/1', kind, title: subject, subject, verdict: 'pass', error: null, ...more } as Result,
});

test('numbers, times and sizes', () => {
  assert.equal(count(1234567), '1\u202f234\u202f567');
  assert.equal(count(1234.5678), '1\u202f234.5678');
  assert.equal(count(null), '–');
  assert.equal(short(0.000171), '0.000171');
  assert.equal(short(0), '0');
  assert.equal(short(123456.7), '123\u202f457');
  assert.equal(short(-1.23456), '-1.235');
  assert.deepEqual([0, 5, 1500, 2.5e6, 1.371858102e9, 700e9, null].map(duration), ['0 s', '5 ns', '1.5 µs', '2.5 ms', '1.372 s', '700 s', '–']);
  assert.deepEqual([9999, 29800, 12345678].map(octets), ['9\u202f999 B', '29.8 kB', '12.3 MB']);
  assert.deepEqual([1500, 2e7, 3e9, 150000].map(axis), ['1\u202f500', '20 M', '3 G', '150 k']);
  assert.equal(hexPairs('0457c6', 1), '57 c6');
  assert.equal(hexPairs('0457c6', 0, 2), '04 57');
  assert.equal(quantile([1, 2, 3, 4], 0.5), 2.5);
  assert.ok(Number.isNaN(quantile([], 0.5)));
  assert.deepEqual(['call-10', 'call-9'].sort(byName), ['call-9', 'call-10']);
});

test('where one is in the page', () => {
  assert.deepEqual(parseRoute('#/3/ladder?call=12'), { parts: ['3', 'ladder'], call: 12 });
  assert.deepEqual(parseRoute('#/compare/0/1'), { parts: ['compare', '0', '1'], call: null });
  assert.deepEqual(parseRoute(''), { parts: [], call: null });
  assert.equal(parseRoute('#/0?call=-1').call, null);
  assert.equal(parseRoute('#/0?call=x').call, null);
});

test('an attack finds its twin, nearby first', () => {
  const items = [item('run', 'a/replay.yaml', 'x/on'), item('run', 'a/replay-without-cache.yaml', 'y/off'), item('run', 'a/replay-without-cache.yaml', 'x/off'),
    item('run', 'a/other.yaml', 'x/other'), item('conformance', './a', 'c')];
  assert.equal(twinOf(items, 0), 2);
  assert.equal(twinOf(items, 1), 0);
  assert.equal(twinOf(items, 3), -1);
  assert.equal(twinOf(items, 4), -1);
});

test('two runs alone are laid side by side; a run and something else are not', () => {
  const two = [item('run', 'a.yaml', 'a'), item('run', 'b.yaml', 'b')];
  assert.equal(twinOf(two, 0), 1);
  assert.deepEqual(comparisons(two).map((c) => c.href), ['#/compare/0/1']);
  assert.equal(twinOf([two[0], item('fuzz', 'parse', 'f')], 0), -1);
});

test('a search for attacks names its run and the twin', () => {
  const items = [item('attack', 'first.yaml', 'out/attack', { found: { run: 'run', twin: './twin/' } }), item('run', 'broken.yaml', 'out/attack/run'),
    item('run', 'twin.yaml', 'out/attack/twin'), item('run', 'else.yaml', 'else')];
  assert.equal(twinOf(items, 1), 2);
  assert.equal(twinOf(items, 2), 1);
  assert.equal(twinOf(items, 3), -1);
  assert.equal(itemAt(items, items[0], 'no-such'), -1);
  assert.equal(itemAt(items, items[0], null), -1);
});

test('what can be compared is offered once', () => {
  const items = [item('conformance', './a', 'a'), item('conformance', './b', 'b'), item('benchmark', 'crypto', 'c'), item('benchmark', 'crypto', 'd'), item('sweep', 's', 's')];
  assert.deepEqual(comparisons(items).map((c) => c.href), ['#/compare/0/1', '#/compare/2/3']);
  assert.deepEqual(labels(items), ['./a', './b', 'crypto (c)', 'crypto (d)', 's']);
  assert.deepEqual(labels([item('benchmark', 'crypto', 'c'), item('benchmark', 'crypto', 'c')]), ['crypto (c) #1', 'crypto (c) #2']);
});

test('who knows more: adversaries first, only what differs', () => {
  const run = (parties: unknown[]) => ({ knowledge: { parties, remarks: [] } }) as unknown as RunResult;
  const fact = (what: string) => ({ what, call: null, how: 'decrypted', at_ns: 1, step: `read ${what}` });
  const a = run([{ party: 'alice', kind: 'user', knows: [fact('xP')] }, { party: 'mallory', kind: 'adversary', knows: [] }]);
  const b = run([{ party: 'alice', kind: 'user', knows: [fact('xP'), fact('yP')] }, { party: 'mallory', kind: 'adversary', knows: [fact('media')] }]);
  assert.deepEqual(knowledgeDifferences(a, b).map((d) => [d.party, d.what, ...d.words]), [['mallory', 'media', '', 'read media'], ['alice', 'yP', '', 'read yP']]);
  assert.deepEqual(knowledgeDifferences(a, a), []);
});

// ---- the data in the page -----------------------------------------------------------------------------------

const documentOf = (texts: Record<string, string>) => ({
  getElementById: (id: string) => (id in texts ? { textContent: texts[id] } : null),
}) as unknown as Document;
const page = JSON.stringify({ schema: 'ibakelab-page/1', items: [{ dir: 'ü', result: {} }] });

test('data are read as they stand, and packed', async () => {
  assert.equal((await loadItems(documentOf({ data: page })))[0].dir, 'ü');
  const packed = gzipSync(page).toString('base64').replace(/(.{20})/g, '$1\n');
  assert.equal((await loadItems(documentOf({ 'data-gz': packed })))[0].dir, 'ü');
});

test('what is no data is refused in words', async () => {
  await assert.rejects(loadItems(documentOf({})), /no data/);
  await assert.rejects(loadItems(documentOf({ data: '{"schema":"ibakelab-page/2","items":[]}' })), /ibakelab-page\/2/);
  await assert.rejects(loadItems(documentOf({ data: '{' })));
  await assert.rejects(loadItems(documentOf({ 'data-gz': 'AAAA' })));
});
