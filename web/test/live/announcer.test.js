import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Announcer } from '../../live/announcer.js';

test('a label is said when it has stayed, once, and not too often', () => {
  const announcer = new Announcer();
  /** @type {[number, string][]} */
  const said = [];
  const at = (/** @type {number} */ t) => (t < 3000 ? 'Happy' : t < 3500 ? 'Sad' : t < 5000 ? 'Happy' : 'Sad');
  for (let t = 0; t < 12_000; t += 100) {
    const text = announcer.next(at(t), t);
    if (text) said.push([t, text]);
  }
  assert.deepEqual(said, [[1500, 'Happy'], [6500, 'Sad']]);
  for (let t = 12_000; t < 14_000; t += 100) assert.equal(announcer.next(t % 200 ? 'Fear' : 'Anger', t), undefined,
    'what flickers is not said');
});
