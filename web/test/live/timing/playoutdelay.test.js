import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PlayoutDelay } from '../../../live/timing/playoutdelay.js';

test('nothing is known before labels came; the first are believed at once', () => {
  const delay = new PlayoutDelay();
  assert.ok(Number.isNaN(delay.at(1000)));
  delay.add(150, 1000);
  assert.equal(delay.at(1001), 158);
});

test('it covers all but a few labels, and one straggler does not count', () => {
  const delay = new PlayoutDelay();
  for (let i = 0; i < 100; i++) {
    delay.add(i === 50 ? 900 : 100 + (i % 10), 1000 + 33 * i);
    delay.at(1000 + 33 * i);
  }
  assert.ok(delay.at(4300) >= 109 && delay.at(4300) < 125, String(delay.at(4300)));
});

test('it changes smoothly, and has an end', () => {
  const delay = new PlayoutDelay();
  delay.add(100, 0);
  let last = delay.at(0);
  for (let t = 33; t < 8000; t += 33) {
    delay.add(5000, t);
    const now = delay.at(t);
    assert.ok(now >= last && now - last <= 0.25 * 33 + 1e-9);
    last = now;
  }
  assert.equal(last, 1000);
  for (let t = 8000; t < 30_000; t += 33) {
    delay.add(50, t);
    const now = delay.at(t);
    assert.ok(now <= last && last - now <= 0.06 * 33 + 1e-9);
    last = now;
  }
  assert.ok(last < 100, String(last));
});
