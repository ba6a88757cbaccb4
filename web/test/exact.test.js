import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { Exact } from '../exact.js';

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
/** @param {number} x @returns {import('../wire.js').Face} */
const face = (x) => ({ ...golden, box: [x, 0.3, 0.2, 0.2] });
const at = (/** @type {number} */ t) => t / 100_000; // where the face is then

/** @type {any} */
let screen;
/** @type {Exact} */
let exact;

beforeEach(() => {
  made.length = 0;
  Object.assign(globalThis, { document: { createElement: canvas } });
  screen = canvas();
  exact = new Exact(screen);
});
afterEach(() => { Reflect.deleteProperty(globalThis, 'document'); });

/**
 * Keeps frames, and gives labels of each `every`th of them `late` ms later.
 * @param {number} frames @param {{late: number, every?: number, silent?: number}} how silent: no labels come from this frame on
 */
function run(frames, { late, every = 1, silent = Infinity }) {
  const shown = [];
  for (let i = 0, told = 0; i < frames; i++) {
    const t = FRAME * i;
    exact.keep(/** @type {any} */ ({ videoWidth: 640, videoHeight: 480, holds: t }), t, 640);
    for (; told * FRAME * every + late <= t && told * every < silent; told++) {
      const of = told * FRAME * every;
      exact.see([face(at(of))], of, t + FRAME - Math.max(0, of - FRAME * (every - 1)), t);
    }
    const labelled = exact.show(t, t);
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
  for (const s of run(100, { late: 100, every: 3 }).slice(10)) assert.ok(Math.abs((s.x ?? 0) - at(s.t)) < 1e-9, `at ${s.t}`);
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
  assert.equal(exact.show(0, 0), undefined);
});
