import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { ExactPlayout } from '../../../live/timing/exactplayout.js';

/** Canvases that note what was drawn on them last, in place of the browser's. */
const made = /** @type {any[]} */ ([]);
function canvas() {
  const own = { width: 0, height: 0, hidden: true, holds: NaN };
  const el = { ...own, getContext: () => ({ drawImage: (/** @type {any} */ from) => { el.holds = from.holds; } }) };
  made.push(el);
  return el;
}

const FRAME = 40; // ms
const golden = { id: 1, score: 1, label: 'happy', confidence: 1, age_ms: 0, scores: [0, 1], uncertain: false };
/** @param {number} x @returns {import('../../../client/wire.js').Face} */
const face = (x) => ({ ...golden, box: [x, 0.3, 0.2, 0.2] });
const at = (/** @type {number} */ t) => t / 100_000; // where the face is then

/** @type {any} */
let screen;
/** @type {ExactPlayout} */
let exact;

beforeEach(() => {
  made.length = 0;
  Object.assign(globalThis, { document: { createElement: canvas } });
  screen = canvas();
  exact = new ExactPlayout(screen);
});
afterEach(() => { Reflect.deleteProperty(globalThis, 'document'); });

/**
 * Keeps frames, and gives labels of each `every`th of them `late` ms later.
 * @param {number} frames @param {{late: number, every?: number, silent?: number}} how silent: no labels come from this
 *   frame on
 */
function run(frames, { late, every = 1, silent = Infinity }) {
  const shown = [];
  for (let i = 0, told = 0; i < frames; i++) {
    const t = FRAME * i;
    exact.capture(/** @type {any} */ ({ videoWidth: 640, videoHeight: 480, holds: t }), t, 640);
    for (; told * FRAME * every + late <= t && told * every < silent; told++) {
      const of = told * FRAME * every;
      exact.receive([face(at(of))], of, Math.max(0, of - FRAME * (every - 1)), t + FRAME, t);
    }
    const labelled = exact.present(t, t);
    if (labelled) shown.push({ at: t, t: labelled.t, x: labelled.faces[0]?.box[0], holds: screen.holds });
  }
  return shown;
}

test('each picture has its own boxes, and comes as late as labels do', () => {
  const shown = run(100, { late: 130 });
  assert.ok(shown.length > 90);
  for (const s of shown.slice(5)) {
    assert.equal(s.holds, s.t);
    assert.ok(Math.abs((s.x ?? 0) - at(s.t)) < 1e-9);
    assert.ok(s.at - s.t >= 130 && s.at - s.t <= 130 + 3 * FRAME, `${s.at - s.t} ms late`);
  }
});

test('between two frames that were analysed boxes are between theirs', () => {
  for (const s of run(100, { late: 100, every: 3 }).slice(10)) assert.ok(Math.abs((s.x ?? 0) - at(s.t)) < 1e-9,
    `at ${s.t}`);
});

test('where labels stop the picture stands still for a moment, and goes on', () => {
  const shown = run(200, { late: 100, silent: 50 });
  const last = shown[shown.length - 1];
  assert.ok(last.at - last.t <= 600, `${last.at - last.t} ms late`);
  shown.slice(1).forEach((s, i) => assert.ok(s.t >= shown[i].t, 'it went back'));
});

test('it keeps few pictures, and none after the end', () => {
  run(300, { late: 3000 });
  assert.ok(made.length <= 40, `${made.length} canvases`);
  exact.reset();
  assert.equal(screen.hidden, true);
  assert.deepEqual(made.filter((c) => c.width > 0), []);
  assert.equal(exact.present(0, 0), undefined);
});

/**
 * Shows frames that do not bear their capture time, each 12 ms after it and some later, and tells how far boxes lie
 * from their own.
 * @param {(i: number) => boolean} [told] whether there are labels of a frame
 */
function untold(told = () => true) {
  // now and then the page stalls
  const late = (/** @type {number} */ i) => 12 + 2 * Math.sin(7 * i) + (i % 16 === 9 ? 34 : i % 16 === 10 ? 12 : 0);
  const events = Array.from({ length: 300 }, (_, i) => [
    ...(i % 61 === 60 ? [] : [{ now: FRAME * i + late(i), i, label: false }]), // and some are not shown at all
    ...(told(i) ? [{ now: FRAME * i + 60, i, label: true }] : []),
  ]).flat().sort((a, b) => a.now - b.now);
  const errors = [];
  let newest = NaN;
  for (const { now, i, label } of events) {
    const capture = FRAME * i + 2 * Math.sin(3 * i);
    if (label) exact.receive([face(at(FRAME * i))], capture, FRAME * (i - 1), newest + FRAME, now);
    else exact.capture(/** @type {any} */ ({ videoWidth: 640, videoHeight: 480, holds: i }), newest = now, 640, false);
    const x = exact.present(newest, now)?.faces[0]?.box[0];
    if (x !== undefined && i > 40) errors.push(Math.abs(x - at(FRAME * screen.holds)) / at(FRAME));
  }
  return errors.sort((a, b) => a - b);
}

test('pictures that do not bear their capture time have their own boxes, also where some come late or not at all',
  () => {
  for (const told of [() => true, (/** @type {number} */ i) => i % 4 !== 1]) {
    const errors = untold(told);
    assert.ok(errors.length > 300);
    assert.ok(errors[Math.floor(0.95 * errors.length)] < 0.2,
      `p95 ${errors[Math.floor(0.95 * errors.length)].toFixed(2)} of a frame's motion`);
    assert.ok(errors[Math.floor(0.98 * errors.length)] < 0.5,
      `p98 ${errors[Math.floor(0.98 * errors.length)].toFixed(2)} of a frame's motion`);
    exact.reset();
  }
});
