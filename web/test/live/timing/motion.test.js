import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MotionPredictor, moveFace } from '../../../live/timing/motion.js';

const golden = { id: 1, score: 1, label: 'happy', confidence: 1, age_ms: 0, scores: [0, 1], uncertain: false };
/** @param {number} x @param {number} [y] @param {number} [side] @returns {import('../../../client/wire.js').Face} */
const face = (x, y = 0.3, side = 0.2) => ({ ...golden, box: [x, y, side, side] });

/**
 * Shows frames of a face, whose labels come `late` frames later.
 * @param {(t: number) => number} x
 * @param {number} late
 * @param {number} [frames]
 */
function show(x, late, frames = 60) {
  const motions = new MotionPredictor();
  const drawn = [];
  for (let i = 0; i < frames; i++) {
    const t = 40 * i;
    if (i >= late) motions.update([face(x(t - 40 * late))], t - 40 * late);
    if (i >= late) drawn.push({ t, x: motions.predict([face(x(t - 40 * late))], t)[0].box[0] });
  }
  return drawn;
}

test('a face that moves evenly is drawn where it is', () => {
  const speed = 0.0004; // frame widths a millisecond: two box sides a second
  const drawn = show((t) => speed * t, 3).slice(20);
  for (const { t, x } of drawn) assert.ok(Math.abs(x - speed * t) < 0.3 * speed * 120,
    `at ${t}: ${x} instead of ${speed * t}`);
});

test('it goes on for a quarter of a second, slower and slower, and no farther', () => {
  const motions = new MotionPredictor();
  for (let i = 0; i < 20; i++) motions.update([face(0.01 * i)], 40 * i);
  const at = (/** @type {number} */ t) => motions.predict([face(0)], t)[0].box[0];
  assert.ok(at(960) > 0.19 && at(960) < 0.19 + 0.06);
  assert.equal(at(5000).toFixed(5), at(20_000).toFixed(5));
});

test('a label makes no jump', () => {
  const motions = new MotionPredictor();
  for (let i = 0; i < 20; i++) motions.update([face(0.01 * i)], 40 * i);
  const before = motions.predict([face(0)], 900)[0].box[0];
  motions.update([face(0.19)], 800); // it has stopped
  assert.ok(Math.abs(motions.predict([face(0)], 900)[0].box[0] - before) < 1e-9);
  assert.ok(motions.predict([face(0)], 1000)[0].box[0] < before);
});

test('a face that is elsewhere at once is drawn there at once', () => {
  const motions = new MotionPredictor();
  motions.update([face(0.1)], 0);
  motions.predict([face(0.1)], 40);
  motions.update([face(0.7)], 40);
  assert.ok(Math.abs(motions.predict([face(0.7)], 80)[0].box[0] - 0.7) < 0.06);
});

test('one at rest is drawn calmer than it is said', () => {
  const unrest = (/** @type {number} */ t) => 0.4 + 0.003 * Math.sin(t * t);
  const steps = (/** @type {number[]} */ xs) => xs.slice(1)
    .map((x, i) => Math.abs(x - xs[i])).reduce((a, b) => a + b, 0) / xs.length;
  const drawn = show(unrest, 2, 200).map((d) => d.x);
  assert.ok(steps(drawn) < 0.6 * steps(Array.from({ length: 200 }, (_, i) => unrest(40 * i))), String(steps(drawn)));
});

test('where the network looks moves along', () => {
  const attention = { heads: 1, width: 1, height: 1,
    region: /** @type {[number, number, number, number]} */ ([0.1, 0.2, 0.4, 0.4]),
    ranges: /** @type {[number, number][]} */ ([[0, 1]]), data: 'AA==' };
  const { attention: a, box } = moveFace({ ...face(0.2), attention }, [0.3, 0.4, 0.2, 0.2]);
  assert.deepEqual(box, [0.3, 0.4, 0.2, 0.2]);
  assert.deepEqual(a?.region.map((v) => v.toFixed(3)), ['0.200', '0.300', '0.400', '0.400']);
  assert.equal(moveFace(face(0.2)).box[0], 0.2);
});
