import assert from 'node:assert/strict';
import { test } from 'node:test';
import { measure, whyNoFace, whyUnsure } from '../../../live/labels/diagnose.js';

const SIDE = 64;

/** A picture by a function of its place. @param {(x: number, y: number) => number} of */
const picture = (of) =>
  measure({ width: SIDE, height: SIDE, luma: Float32Array.from({ length: SIDE * SIDE },
  (_, i) => of(i % SIDE, Math.floor(i / SIDE))) });

const sharp = picture((x, y) => ((x >> 2) + (y >> 2)) % 2 * 120 + 60);
const blurred = picture((x, y) => 120 + 55 * Math.sin(x / 9) * Math.sin(y / 9));

test('a sharp picture is told from one without edges', () => {
  assert.ok(sharp.sharpness > 10 * blurred.sharpness, `${sharp.sharpness} and ${blurred.sharpness}`);
  assert.equal(Math.round(sharp.mean), 120);
  assert.equal(Math.round(sharp.deviation), 60);
});

test('why there is no face', () => {
  assert.equal(whyNoFace(undefined), 'no-face');
  assert.equal(whyNoFace(sharp), 'no-face');
  assert.equal(whyNoFace(blurred), 'blurred');
  assert.equal(whyNoFace(picture(() => 12)), 'dark');
  assert.equal(whyNoFace(picture((x) => (x < 40 ? 255 : 100))), 'bright');
  assert.equal(whyNoFace(picture((x) => 120 + x / 8)), 'no-face', 'a wall is not blurred');
});

test('why a face is unsure', () => {
  const face = /** @type {import('../../../client/wire.js').Face} */ ({ box: [0.2, 0.2, 0.3, 0.4], score: 0.97 });
  assert.equal(whyUnsure(face, 640, sharp), undefined);
  assert.equal(whyUnsure({ ...face, box: [0, 0, 0.05, 0.07] }, 640, sharp), 'face-far');
  assert.equal(whyUnsure(face, 640, picture(() => 20)), 'face-dark');
  assert.equal(whyUnsure(face, 640, blurred), 'face-blurred');
  assert.equal(whyUnsure({ ...face, score: 0.65 }, 640, sharp), 'face-turned');
});
