import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { colourAt, attentionMap, strongestCell, attentionMode, interpolate } from '../../live/attention.js';
import { luminance } from '../../live/palette.js';

const { faces } = JSON.parse(readFileSync(new URL('../../testdata/wire/labels-attention.json', import.meta.url),
  'utf8'));
/** @type {import('../../client/wire.js').Attention} */
const example = faces[0].attention;

test('a head’s map is as told, the mean is scaled anew', () => {
  const bytes = [60, 120, 255, 40, 90, 64, 0, 12, 8];
  assert.deepEqual(attentionMap(example, 2), bytes.map((b) => b / 255));
  assert.deepEqual(attentionMap(example, 9), attentionMap(example, 2));
  const mean = attentionMap(example, 'mean');
  assert.equal(Math.max(...mean), 1);
  assert.equal(Math.min(...mean), 0);
  assert.equal(mean.indexOf(1), 4); // 255 + 90 in the middle
  const flat = { ...example, heads: 1, width: 1, height: 1, data: 'AA==' };
  assert.deepEqual(attentionMap(flat, 'mean'), [0]);
});

test('between cells the values blend, at the edge they stay', () => {
  const map = [0, 1, 0.5, 0.25];
  assert.equal(interpolate(map, 2, 2, 0.25, 0.25), 0);
  assert.equal(interpolate(map, 2, 2, 0, 0), 0);
  assert.equal(interpolate(map, 2, 2, 1, 0), 1);
  assert.equal(interpolate(map, 2, 2, 0.5, 0.25), 0.5);
  assert.equal(interpolate(map, 2, 2, 0.75, 0.75), 0.25);
  assert.equal(interpolate([0.7], 1, 1, 0.9, 0.1), 0.7);
});

test('more is lighter and covers more, at every step', () => {
  let [light, cover] = [-1, -1];
  for (let v = 0; v <= 1; v += 1 / 63) {
    const [r, g, b, a] = colourAt(v);
    const now = luminance(`#${[r, g, b].map((c) => c.toString(16).padStart(2, '0')).join('')}`);
    assert.ok(now > light && a > cover, `at ${v}`);
    [light, cover] = [now, a];
  }
  assert.deepEqual(colourAt(7), colourAt(1));
});

test('the strongest place is told as it is seen', () => {
  const map = attentionMap(example, 2);
  assert.deepEqual(strongestCell(map, 3, 3, false), [0, 2]);
  assert.deepEqual(strongestCell(map, 3, 3, true), [0, 0]);
  const wide = Array.from({ length: 49 }, (_, i) => (i === 7 * 6 + 3 ? 1 : 0));
  assert.deepEqual(strongestCell(wide, 7, 7, true), [2, 1]);
});

test('the attribute takes off, mean or a head', () => {
  for (const [text, want] of /** @type {const} */ (
      [[null, 'off'], ['off', 'off'], ['mean', 'mean'], ['3', 3], ['0', 'off'], ['head', 'off'], ['', 'off']])) {
    assert.equal(attentionMode(text), want);
  }
});
