import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fitPicture, placeBox, placeTag, rectAt } from '../../live/geometry.js';

const VGA = { width: 640, height: 480 };

test('fitPicture places like object-fit', () => {
  const cases = /** @type {const} */ ([
    [VGA, { width: 320, height: 240 }, 'contain', { x: 0, y: 0, width: 320, height: 240 }],
    [VGA, { width: 320, height: 240 }, 'cover', { x: 0, y: 0, width: 320, height: 240 }],
    [VGA, { width: 400, height: 240 }, 'contain', { x: 40, y: 0, width: 320, height: 240 }],
    [VGA, { width: 400, height: 240 }, 'cover', { x: 0, y: -30, width: 400, height: 300 }],
    [VGA, { width: 320, height: 300 }, 'contain', { x: 0, y: 30, width: 320, height: 240 }],
    [VGA, { width: 320, height: 300 }, 'cover', { x: -40, y: 0, width: 400, height: 300 }],
    [{ width: 480, height: 640 }, { width: 640, height: 640 }, 'contain', { x: 80, y: 0, width: 480, height: 640 }],
  ]);
  for (const [picture, view, fit, want] of cases) assert.deepEqual(fitPicture(picture, view, fit), want);
});

test('placeBox follows fit and mirror', () => {
  const view = { width: 400, height: 240 };
  const box = /** @type {[number, number, number, number]} */ ([0.25, 0.5, 0.125, 0.25]);
  const cases = /** @type {const} */ ([
    ['contain', false, { x: 120, y: 120, width: 40, height: 60 }],
    ['contain', true, { x: 240, y: 120, width: 40, height: 60 }],
    ['cover', false, { x: 100, y: 120, width: 50, height: 75 }],
    ['cover', true, { x: 250, y: 120, width: 50, height: 75 }],
  ]);
  for (const [fit, mirror, want] of cases) {
    assert.deepEqual(placeBox(box, fitPicture(VGA, view, fit), mirror), want, `${fit}, mirror ${mirror}`);
  }
});

test('mirroring twice is where it was', () => {
  const area = { x: 0, y: 0, width: 200, height: 100 };
  const once = placeBox([0.1, 0.2, 0.3, 0.4], area, true);
  const twice = placeBox([once.x / 200, 0.2, 0.3, 0.4], area, true);
  assert.ok(Math.abs(twice.x - 20) < 1e-9);
});

test('placeTag stays in view', () => {
  const tag = { width: 100, height: 20 };
  const view = { width: 300, height: 200 };
  const cases = /** @type {const} */ ([
    [{ x: 50, y: 60, width: 40, height: 40 }, { x: 50, y: 40 }], // above
    [{ x: 50, y: 5, width: 40, height: 40 }, { x: 50, y: 5 }], // no room above
    [{ x: 50, y: -30, width: 40, height: 90 }, { x: 50, y: 0 }], // box begins outside
    [{ x: 280, y: 60, width: 40, height: 40 }, { x: 200, y: 40 }], // right edge
    [{ x: -25, y: 60, width: 40, height: 40 }, { x: 0, y: 40 }], // left edge
    [{ x: 50, y: 240, width: 40, height: 40 }, { x: 50, y: 180 }], // below the view
  ]);
  for (const [box, want] of cases) assert.deepEqual(placeTag(box, tag, view), want);
});

test('rectAt picks the smaller of two that overlap', () => {
  const rects = [{ x: 0, y: 0, width: 100, height: 100 }, { x: 40, y: 40, width: 20, height: 20 }];
  assert.equal(rectAt({ x: 50, y: 50 }, rects), 1);
  assert.equal(rectAt({ x: 10, y: 10 }, rects), 0);
  assert.equal(rectAt({ x: 150, y: 10 }, rects), -1);
  assert.equal(rectAt({ x: 0, y: 0 }, []), -1);
});
