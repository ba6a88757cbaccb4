import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ScoreHistory, runs, SPAN_MS } from '../../../live/labels/scorehistory.js';

const scores = [0.25, 0.75];

test('a minute is kept, and one sample beyond its edge', () => {
  const history = new ScoreHistory();
  for (let t = 0; t <= 2 * SPAN_MS; t += 100) history.add(1, t, scores);
  const samples = history.of(1);
  assert.equal(samples[0].t, SPAN_MS);
  assert.equal(samples.length, 601);
});

test('thirty messages a second do not cost thirty samples', () => {
  const history = new ScoreHistory();
  for (let i = 0; i < 300; i++) history.add(1, (i * 1000) / 30, scores);
  const { length } = history.of(1);
  assert.ok(length <= 111 && length >= 90, `${length} samples in 10 s`);
});

test('faces keep apart and are forgotten with time', () => {
  const history = new ScoreHistory();
  history.add(1, 0, scores);
  history.add(2, 1000, [1, 0]);
  assert.deepEqual(history.of(1), [{ t: 0, scores }]);
  assert.deepEqual(history.of(2), [{ t: 1000, scores: [1, 0] }]);
  history.add(2, SPAN_MS + 500, scores);
  assert.deepEqual(history.of(1), []);
  assert.equal(history.of(2).length, 2);
  assert.deepEqual(history.of(undefined), []);
});

test('many passers-by do not fill the memory', () => {
  const history = new ScoreHistory();
  for (let id = 0; id < 1000; id++) history.add(id, id, scores);
  assert.equal(history.faces, 32);
  assert.equal(history.of(999).length, 1);
  assert.equal(history.of(0).length, 0);
});

test('runs are cut at pauses', () => {
  const at = (/** @type {number[]} */ ...ts) => ts.map((t) => ({ t, scores }));
  assert.deepEqual(runs(at(0, 100, 200, 5000, 5100), 1500).map((r) => r.map((s) => s.t)),
    [[0, 100, 200], [5000, 5100]]);
  assert.deepEqual(runs([], 1500), []);
});
