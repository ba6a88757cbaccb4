import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CaptureClock, SenderClock } from '../../client/clock.js';

const START = 5000; // ms, when the sender's tick 0 was
const rtpAt = (/** @type {number} */ t, from = 0) => (from + Math.round(90 * (t - START))) >>> 0;

test('the least delay tells when a frame was captured', () => {
  const clock = new CaptureClock();
  assert.equal(clock.timeOf(rtpAt(6000)), undefined);
  for (let i = 0; i < 100; i++) {
    const t = 6000 + 33 * i;
    clock.addBound(rtpAt(t), t + 5 + ((i * 7) % 20), true);
  }
  assert.ok(Math.abs((clock.timeOf(rtpAt(9000)) ?? 0) - 9005) < 1);
});

test('timestamps begin anew after 32 bits, at any place', () => {
  const clock = new CaptureClock();
  const sender = new SenderClock();
  const from = 2 ** 32 - 90 * 1000; // a second before the wrap
  let last = -Infinity;
  for (let t = START; t < START + 3000; t += 40) {
    clock.addBound(rtpAt(t, from), t + 5, true);
    assert.ok(Math.abs((clock.timeOf(rtpAt(t, from)) ?? 0) - t - 5) < 1, `at ${t}`);
    const ms = sender.ms(rtpAt(t, from));
    assert.ok(ms > last);
    last = ms;
  }
  assert.ok(Math.abs((clock.timeOf(rtpAt(START + 900, from)) ?? 0) - START - 905) < 1, 'a label from before the wrap');
});

test('labels bound a frame only where it was not seen encoded', () => {
  const clock = new CaptureClock();
  clock.addBound(rtpAt(6000), 6060, false);
  assert.equal(Math.round(clock.timeOf(rtpAt(6000)) ?? 0), 6060);
  clock.addBound(rtpAt(6040), 6050, true);
  clock.addBound(rtpAt(6080), 6081, false);
  assert.equal(Math.round(clock.timeOf(rtpAt(6080)) ?? 0), 6090);
});

test('it follows a drift, and a clock that began anew', () => {
  const clock = new CaptureClock();
  for (let t = 6000; t < 30_000; t += 100) clock.addBound(rtpAt(t), t + 5 + t / 10_000, true); // 100 ppm
  assert.ok(Math.abs((clock.timeOf(rtpAt(30_000)) ?? 0) - 30_008) < 1);
  clock.addBound(rtpAt(30_000, 123_456_789), 30_009, true);
  assert.equal(Math.round(clock.timeOf(rtpAt(30_040, 123_456_789)) ?? 0), 30_049);
});
