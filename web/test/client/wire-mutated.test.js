// Golden examples, changed at random: whatever comes, the parsers return what the protocol promises or
// throw their own error, and nothing else.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parseControl, parseLabels, parseWaiting, WireError } from '../../client/wire.js';

const folder = new URL('../../testdata/wire/', import.meta.url);
const texts = ['', 'invalid/'].flatMap((sub) => readdirSync(new URL(sub, folder))
  .filter((name) => name.endsWith('.json'))
  .map((name) => readFileSync(new URL(sub + name, folder), 'utf8')));
const ROUNDS = Number(process.env.MINDFLOW_ROUNDS ?? 30_000);
// the same changes each time, unless make fuzz-web asks for others
const SEED = Number(process.env.MINDFLOW_SEED ?? 20);

/** A generator of numbers from 0 to below n that repeats with its seed (mulberry32). @param {number} seed */
function randomFrom(seed) {
  return (/** @type {number} */ n) => {
    seed = (seed + 0x6d2b79f5) | 0;
    let x = Math.imul(seed ^ (seed >>> 15), seed | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return ((x ^ (x >>> 14)) >>> 0) % n;
  };
}

/** Values that a field may be given instead of its own, as JSON. */
const ODD = ['null', 'true', '0', '-0', '-1', '1.5', '1e308', '1e999', '9007199254740993', '""', '"x"', '"\\ud800"',
  '[]', '[[]]', '[null]',
  '{}', '{"length":4}', '{"__proto__":null}', '"__proto__"', '[0,0,0,0]', '[1,1]', '{"toString":1,"valueOf":1}',
    '{"v":1}'];
const CHARACTERS = '{}[]":,.-+eE0123456789\\u truefalsn\u0000\ud800';

/** @param {string} text @param {(n: number) => number} random */
function mutate(text, random) {
  for (let changes = 1 + random(3); changes > 0; changes--) {
    const at = random(text.length + 1);
    const value = /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|true|false|null/g;
    const spots = [...text.matchAll(value)];
    switch (random(6)) {
      case 0: // a character
        text = text.slice(0, at) + CHARACTERS[random(CHARACTERS.length)] + text.slice(at + random(2));
        break;
      case 1: // cut short
        if (random(4) === 0) text = text.slice(0, at);
        break;
      case 2: // a part twice
        text = text.slice(0, at) + text.slice(Math.max(0, at - random(40)));
        break;
      default: { // another value
        const spot = spots[random(spots.length || 1)];
        if (!spot) break;
        text = text.slice(0, spot.index) + ODD[random(ODD.length)] + text.slice(spot.index + spot[0].length);
      }
    }
  }
  return text;
}

/**
 * What a page reads of labels without a further check.
 * @param {import('../../client/wire.js').Labels} m
 */
function promised(m) {
  assert.ok(m.v === 1 && Number.isInteger(m.seq) && m.width >= 1 && m.height >= 1
    && Number.isFinite(m.width * m.height));
  for (const n of Object.values(m.dropped)) assert.ok(Number.isInteger(n) && n >= 0);
  for (const n of [m.ms.decode, m.ms.detect, m.ms.classify, m.ms.total]) assert.ok(n >= 0 && Number.isFinite(n));
  for (const face of m.faces) {
    assert.ok(Number.isInteger(face.id) && face.box.length === 4 && typeof face.label === 'string'
      && typeof face.uncertain === 'boolean');
    for (const n of [...face.box, face.score, face.confidence, ...face.scores]) assert.ok(Math.abs(n) <= 3.001);
    assert.ok(face.age_ms >= 0 && Number.isFinite(face.age_ms));
  }
}

/** @param {import('../../client/wire.js').Waiting} m */
function waits(m) {
  assert.ok(Number.isInteger(m.ahead) && m.ahead >= 0 && m.waiting >= 1 && m.again_ms > 0 && m.again_ms < 1e6
    && typeof m.turn === 'boolean');
}

/** @param {() => void} parse @param {string} text @returns {boolean} whether it was read */
function readsOrRefuses(parse, text) {
  try {
    parse();
    return true;
  } catch (error) {
    assert.ok(error instanceof WireError && error.field !== '', `with seed ${SEED} ${text}\ngave ${error}`);
    return false;
  }
}

test('changed examples are read as promised or refused with a WireError', () => {
  const random = randomFrom(SEED);
  let read = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const text = mutate(texts[random(texts.length)], random);
    if (readsOrRefuses(() => promised(parseLabels(text)), text)) read++;
    if (readsOrRefuses(() => assert.equal(typeof parseControl(text).type, 'string'), text)) read++;
    if (readsOrRefuses(() => waits(parseWaiting(text)), text)) read++;
  }
  assert.ok(read > ROUNDS / 50 && read < ROUNDS,
    `${read} of ${ROUNDS} were read with seed ${SEED}: the changes are no test`);
});

test('what is no object of JSON is refused', () => {
  for (const text of ['', ' ', 'null', 'undefined', '[]', '1', '"labels"', '{', '\ufeff{"v":1}', '['.repeat(100_000),
      '{"v":1,"x":'.repeat(5000)]) {
    for (const parse of [parseLabels, parseControl, parseWaiting]) assert.throws(() => parse(text), WireError,
      text.slice(0, 40));
  }
});
