import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Health } from '../../../live/labels/health.js';

/**
 * @param {number} total
 * @param {Record<string, number>} [dropped]
 * @returns {import('../../../client/wire.js').Labels}
 */
const message = (total, dropped = {}) => ({
  v: 1, seq: 0, rtp: 0, width: 640, height: 480, dropped, ms: { decode: 1, detect: 5, classify: 9, total }, faces: [],
});

test('the rate is that of the last seconds', () => {
  const health = new Health();
  for (let i = 0; i <= 100; i++) health.add(message(20), i * 50); // 20 a second for 5 s
  assert.ok(Math.abs(health.report(5000).rate - 20) < 0.5);
  for (let i = 1; i <= 30; i++) health.add(message(20), 5000 + i * 100); // then 10
  assert.ok(Math.abs(health.report(8000).rate - 10) < 0.5);
  assert.equal(health.report(20_000).rate, 0);
});

test('the rate is right before the window is full', () => {
  const health = new Health();
  assert.equal(health.report(0).rate, 0);
  health.add(message(20), 0);
  assert.equal(health.report(0).rate, 0);
  for (let i = 1; i <= 10; i++) health.add(message(20), i * 100);
  assert.equal(health.report(1000).rate, 10);
});

test('the delay is the server’s time and a round trip', () => {
  const health = new Health();
  health.add(message(20), 0);
  health.add(message(30), 50);
  assert.equal(health.report(100).latency, undefined);
  health.roundTrip = 0.04;
  assert.equal(health.report(100).latency, 65);
  assert.equal(health.report(60_000).latency, undefined);
});

test('drops are the server’s count, not added up again', () => {
  const health = new Health();
  health.add(message(20, { stale: 3 }), 0);
  health.add(message(20, { stale: 4, corrupt: 2, paused: 900 }), 50);
  assert.equal(health.report(60).dropped, 6);
  assert.deepEqual(health.report(60).reasons, { stale: 4, corrupt: 2, paused: 900 });
});
