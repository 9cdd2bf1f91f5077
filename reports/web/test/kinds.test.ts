import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareCases, compareRequirements, failedFirst } from '../src/kinds/conformance';
import { jobSeries, killMatrix } from '../src/kinds/others';
import { curves, isScale, numberOf, outliers, withUnit } from '../src/kinds/sweep';
import type { Point, SweepResult } from '../src/kinds/sweep';
import type { ConformanceResult } from '../src/types';
import * as samples from './samples.mjs';

test('values of parameters as places on an axis', () => {
  assert.deepEqual(['2 %', '20 ms', 5, 'P-256', null, true].map(numberOf), [2, 20, 5, null, null, null]);
  assert.ok(isScale(['0 %', '10 %']));
  assert.ok(!isScale(['20 ms', '1 s'])); // not the same unit: side by side, not to scale
  assert.ok(!isScale(['on', 'off']));
});

test('outliers are judged within their own combination', () => {
  const point = (index: number, loss: string, value: number | null): Point => ({ index, parameters: { loss }, seed: '1', verdict: 'pass', measures: { t: value }, dir: null });
  const points = [1, 1.1, 0.9, 1, 9].map((v, i) => point(i, '0 %', v)).concat([9, 9.1, 8.9, 9].map((v, i) => point(10 + i, '5 %', v)), point(20, '9 %', 100), point(21, '9 %', null));
  assert.deepEqual([...outliers(points, 't', ['loss'])].map((p) => p.index), [4]);
});

test('response curves: a line for each of the other parameters, with its interval', () => {
  const lines = curves(samples.sweep() as unknown as SweepResult, 'setup-time', 'loss', 'parameters');
  assert.deepEqual(lines.map((l) => l.name), ['parameters 1024', 'parameters 2048', 'parameters 3072']);
  for (const line of lines) {
    assert.deepEqual(line.points.map((p) => p.x), [0, 1, 2, 5, 10]);
    for (const p of line.points) assert.ok(p.low! <= p.y && p.y <= p.high!);
  }
});

test('measures are shown with their units', () => {
  const sweep = samples.sweep() as unknown as SweepResult;
  assert.deepEqual(['setup-time', 'established'].map((m) => withUnit(sweep, m)), ['setup-time (s)', 'established']);
  delete sweep.units; // results of before
  assert.equal(withUnit(sweep, 'setup-time'), 'setup-time');
});

test('implementations side by side', () => {
  const both = [samples.conformance('a', [3, 40]), samples.conformance('b', [])] as unknown as ConformanceResult[];
  const differing = compareRequirements(both).filter((r) => r.status[0] !== r.status[1]);
  assert.deepEqual(differing.map((r) => [r.id, ...r.status]), [['6267-4', 'broken', 'held'], ['6267-41', 'broken', 'held']]);
  const short = { ...both[1], cases: both[1].cases.slice(1) };
  assert.deepEqual(compareCases([both[1], short])[0].verdicts, ['pass', 'not played']);
  assert.equal(failedFirst(both[0].cases)[0].verdict, 'fail');
  assert.equal(failedFirst(both[0].cases).length, both[0].cases.length);
});

test('the kill matrix counts each mutant once', () => {
  const { mutants } = samples.mutants();
  const matrix = killMatrix(mutants as never);
  const killed = mutants.filter((m: { verdict: string }) => m.verdict === 'killed' || m.verdict === 'elsewhere').length;
  assert.equal(matrix.cells.flat().reduce((sum, n) => sum + n, 0), killed);
  assert.equal(matrix.alive.reduce((sum, n) => sum + n, 0), mutants.filter((m: { verdict: string }) => m.verdict === 'survived').length);
});

test("a line for each job of a campaign; the first second's time is not told", () => {
  const lines = jobSeries(samples.fuzz().series, (s) => s.features);
  assert.deepEqual(lines.map((l) => l.name), ['job 0', 'job 1']);
  assert.equal(lines[0].points[0].x, 0);
});
