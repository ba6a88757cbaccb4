import assert from 'node:assert/strict';
import { test } from 'node:test';
import { backoff, retryAfter } from '../../client/backoff.js';

test('waits grow to 8 s and stay there', () => {
  const waits = [1, 2, 3, 4, 5, 6, 10].map((attempt) => backoff(attempt, () => 0.5));
  assert.deepEqual(waits, [0.5, 1, 2, 4, 8, 8, 8]);
});

test('jitter is a quarter each way', () => {
  assert.equal(backoff(3, () => 0), 1.5);
  assert.equal(backoff(3, () => 1), 2.5);
  const spread = new Set(Array.from({ length: 20 }, () => backoff(5)));
  assert.ok(spread.size > 1);
});

test('Retry-After is seconds or a date, within bounds', () => {
  const now = Date.parse('2026-01-01T00:00:00Z');
  const cases = /** @type {const} */ ([
    ['7', 7],
    [' 7 ', 7],
    ['0', 1],
    ['86400', 300],
    ['Thu, 01 Jan 2026 00:00:42 GMT', 42],
    ['Wed, 31 Dec 2025 00:00:00 GMT', 1],
    ['soon', 10],
    ['', 10],
    [null, 10],
  ]);
  for (const [header, want] of cases) assert.equal(retryAfter(header, now), want, String(header));
});
