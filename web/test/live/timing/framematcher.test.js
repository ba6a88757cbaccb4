import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FrameMatcher } from '../../../live/timing/framematcher.js';

const SHIFT = 81_234.5; // ms between the two clocks

/**
 * Lays sent frames over shown ones, and counts those that were laid wrong.
 * @param {number[]} times when frames were captured
 * @param {(i: number) => number} late ms, what is known of a sent frame's capture is late by
 * @param {(i: number) => boolean} sent
 */
function wrong(times, late, sent = () => true) {
  const match = new FrameMatcher();
  let count = 0;
  times.forEach((t, i) => {
    match.addShown(t);
    if (!sent(i)) return;
    const placed = match.match(Math.round(t - SHIFT), t + late(i));
    if (i > 20 && Math.abs(placed - t) > 1) count++;
  });
  return count;
}

test('even frames are told apart while what is known errs by less than half of one', () => {
  assert.equal(wrong(Array.from({ length: 200 }, (_, i) => 1000 + 33.3 * i), (i) => 4 + 3 * Math.sin(i)), 0);
});

test('it does not alternate between two that are as near', () => {
  const errors = wrong(Array.from({ length: 200 }, (_, i) => 1000 + 33.3 * i), (i) => 4 + 16.6 + 3 * Math.sin(i));
  assert.ok(errors === 0 || errors === 179, `${errors} of 179 were laid otherwise than the rest`);
});

test('uneven frames are told apart by their pattern, also where what is known errs by more', () => {
  let t = 1000;
  const times = Array.from({ length: 200 }, (_, i) => (t += 33 + 9 * Math.sin(i * i)));
  assert.equal(wrong(times, () => 25), 0);
  assert.equal(wrong(times, () => 25, (i) => i % 3 !== 1), 0, 'of which a third was not sent');
});

test('it says when the first frame after another was captured, and how long one lasts', () => {
  const match = new FrameMatcher();
  for (const t of [100, 140, 180]) match.addShown(t);
  assert.equal(match.after(100), 140);
  assert.equal(match.after(180), undefined);
  assert.equal(match.interval, 40);
  assert.equal(match.newest, 180);
});
