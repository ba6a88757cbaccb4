// The picture changes its size and shape while the session runs, as when a phone is turned.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { before, describe, test } from 'node:test';
import { CHROMIUM, PATIENCE, freePort, launch, makeCamera, openPage, press, screenshot, seen, startServer,
  waitState } from './driver.js';
import { aClip, analyse, fit, fps, ours, root } from './truth.js';

const skip = !ours ? 'no clip with one large face: set MINDFLOW_TESTDATA' : !existsSync(CHROMIUM)
  ? `no Chromium at ${CHROMIUM}; set CHROMIUM`
  : !existsSync(path.join(root, 'bin/mindflow')) ? 'no bin/mindflow; run make build' : false;

/**
 * @typedef {object} Shape of the camera's picture
 * @property {string} name
 * @property {number} width pixels
 * @property {number} height
 * @property {number} [scale] what the sender divides the size by
 * @property {import('./truth.js').Box} part of the 640×480 camera that is seen, in its pixels; black where it reaches
 *   outside
 */

/** @type {Shape[]} */
const SHAPES = [
  { name: 'landscape', width: 640, height: 480, part: [0, 0, 640, 480] },
  { name: 'odd', width: 427, height: 241, part: [0, 60, 640, 361.2] },
  { name: 'portrait', width: 360, height: 640, part: [0, -150, 640, 1137.8] },
  { name: 'odd portrait', width: 241, height: 427, part: [0, -326.9, 640, 1133.9] },
  { name: 'scaled by the sender', width: 640, height: 480, scale: 1.5, part: [0, 0, 640, 480] },
];

/** Runs in the page: the camera's picture goes over a canvas whose size `shape` sets, and senders are noted. */
function turnable() {
  const { mediaDevices } = navigator;
  const open = mediaDevices.getUserMedia.bind(mediaDevices);
  const canvas = document.createElement('canvas');
  const ctx = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
  /** @type {import('./truth.js').Box} */
  let part;
  const shape = (/** @type {number} */ width, /** @type {number} */ height, /** @type {typeof part} */ seen) => {
    Object.assign(canvas, { width, height });
    part = seen;
  };
  shape(640, 480, [0, 0, 640, 480]);
  mediaDevices.getUserMedia = async (how) => {
    const camera = document.createElement('video');
    camera.srcObject = await open(how);
    await camera.play();
    const draw = () => {
      const [x, y, w, h] = part;
      const [sx, sy] = [canvas.width / w, canvas.height / h];
      ctx.fillRect(0, 0, canvas.width, canvas.height);
      ctx.drawImage(camera, -x * sx, -y * sy, 640 * sx, 480 * sy);
      camera.requestVideoFrameCallback(draw);
    };
    draw();
    return canvas.captureStream();
  };
  const { addTransceiver } = RTCPeerConnection.prototype;
  /** @this {RTCPeerConnection} @param {string | MediaStreamTrack} track @param {RTCRtpTransceiverInit} [how] */
  RTCPeerConnection.prototype.addTransceiver = function (track, how) {
    const transceiver = addTransceiver.call(this, track, how);
    Object.assign(window, { sender: transceiver.sender });
    return transceiver;
  };
  const { roundRect, clearRect } = CanvasRenderingContext2D.prototype;
  CanvasRenderingContext2D.prototype.clearRect = function (/** @type {[number, number, number, number]} */ ...where) {
    if (this.canvas.className.includes('overlay')) Object.assign(window, { drawn: [] });
    clearRect.apply(this, where);
  };
  /** @this {CanvasRenderingContext2D} @param {Parameters<CanvasRenderingContext2D['roundRect']>} how */
  CanvasRenderingContext2D.prototype.roundRect = function (...how) {
    const [x, y, w, h, radius] = how;
    if (radius === 8) /** @type {any} */ (window).drawn?.push([x, y, w, h]); // a face's box; tags have another
    roundRect.apply(this, how);
  };
  Object.assign(window, { shape });
}

/** Gives the camera a shape. @param {import('puppeteer-core').Page} page @param {Shape} shape */
const turn = (page, { width, height, part, scale = 1 }) => page.evaluate(async (w, h, seen, by) => {
  const { sender, shape } = /** @type {any} */ (window);
  shape(w, h, seen);
  const parameters = sender.getParameters();
  parameters.encodings[0].scaleResolutionDownBy = by;
  await sender.setParameters(parameters);
}, width, height, part, scale);

/**
 * The newest message and how the page shows it: the boxes drawn, the picture's size, where video and overlay lie.
 * @param {import('puppeteer-core').Page} page
 */
const shown = (page) => page.evaluate(() => new Promise((resolve) => {
  const look = () => {
    const message = /** @type {any} */ (window).seen.labels.at(-1);
    if (message.faces.length === 0) return;
    removeEventListener('mindflow-labels', look);
    Object.assign(window, { drawn: [] });
    const next = () => requestAnimationFrame(() => { // boxes are drawn with the next picture
      if (/** @type {any} */ (window).drawn.length === 0) return void next();
      const shadow = document.querySelector('mindflow-live')?.shadowRoot;
      const video = /** @type {HTMLVideoElement} */ (shadow?.querySelector('video'));
      const at = (/** @type {Element | null | undefined} */ el) => {
        const { x, y, width, height } = /** @type {Element} */ (el).getBoundingClientRect();
        return [x, y, width, height];
      };
      const { drawn } = /** @type {any} */ (window);
      const messages = /** @type {any} */ (window).seen.labels.slice(-40); // the picture that is shown has one of these
      resolve({ messages, drawn, picture: [video.videoWidth, video.videoHeight], video: at(video),
        overlay: at(shadow?.querySelector('.overlay')) });
    });
    next();
  };
  addEventListener('mindflow-labels', look);
}));

/** A message with its boxes in fractions of the 640×480 camera. @param {any} message @param {Shape} shape */
function inCamera(message, { part: [px, py, pw, ph] }) {
  const faces = message.faces.map((/** @type {any} */ face) => {
    const [x, y, w, h] = face.box;
    return { box: [(px + x * pw) / 640, (py + y * ph) / 480, (w * pw) / 640, (h * ph) / 480] };
  });
  return { ...message, faces };
}

/**
 * The overlay lies on the picture and each box where a message of these frames has it, mirrored.
 * @param {any} s from `shown`
 * @param {Shape} shape
 */
function checkShown({ messages, drawn, picture, video, overlay }, { name, width, height }) {
  const near = (/** @type {number[]} */ a, /** @type {number[]} */ b) => a.every((v, i) => Math.abs(v - b[i]) < 1);
  assert.deepEqual(picture, [width, height], name);
  assert.deepEqual(overlay, video, name);
  const [, , w, h] = video;
  const scale = Math.min(w / width, h / height); // as object-fit: contain places it
  const [left, top] = [(w - width * scale) / 2, (h - height * scale) / 2];
  const places = messages.map((/** @type {any} */ { faces }) => faces
    .map((/** @type {any} */ { box: [bx, by, bw, bh] }) => (
    [left + (1 - bx - bw) * width * scale, top + by * height * scale, bw * width * scale, bh * height * scale])));
  // each box is drawn in two colours
  assert.ok(places.some((/** @type {number[][]} */ wants) => wants.length === drawn.length / 2
    && wants.every((want, i) => near(drawn[2 * i], want))),
      `${name}: the boxes are drawn at ${drawn}, the faces are at ${places.at(-1)}`);
}

describe('sizes', { skip, timeout: 1_200_000 }, () => {
  /** @type {string} */
  let camera;
  /** @type {any} the pipeline's own message of the picture */
  let still;
  before(async () => {
    // One frame that stands still: however late a page on a busy machine draws it, its faces are where they were.
    camera = await makeCamera(await aClip(), { width: 640, height: 480, fps, seconds: 1 / fps });
    [still] = await analyse(camera);
  });

  for (const codec of ['VP8', 'H264', 'VP9', 'AV1']) {
    test(`${codec}: boxes stay on faces while the picture is turned and resized`, async (t) => {
      const base = `http://localhost:${await freePort()}`;
      const args = ['serve', '--listen', new URL(base).host.replace('localhost', '127.0.0.1'), '--media',
        `:${await freePort()}`, '--codecs', codec,
        '--max-side', '0', '--max-framerate', '0']; // the test sets the sender's scale itself
      const server = await startServer(path.join(root, 'bin/mindflow'), args, base);
      let browser; // in the try: a server that is left running would keep the tests from ending
      try {
        browser = await launch({ camera });
        const page = await openPage(browser, 'about:blank', { phone: true });
        await page.evaluateOnNewDocument(turnable);
        await page.goto(base);
        // boxes lie where a label has them, not ahead of it
        await page.$eval('mindflow-live', (el) => Object.assign(el, { timing: 'exact' }));
        await press(page, '.card-button');
        await waitState(page, 'live');
        /** @type {{shape: Shape, messages: any[]}[]} */
        const parts = [];
        for (const shape of SHAPES) {
          const before = (await seen(page, 'labels')).length;
          await turn(page, shape);
          const size = sizeSent(shape, codec);
          await page.waitForFunction(enough, { timeout: PATIENCE }, before, size, 40).catch(async (cause) => {
            const came = (await seen(page, 'labels')).slice(before).map((m) => `${m.width}x${m.height}`);
            throw new Error(`waiting for 40 labels of ${size}, there came ${came}`, { cause });
          });
          checkShown(await shown(page), shape);
          await screenshot(page, `size-${codec}-${shape.name.replaceAll(' ', '-')}`);
          const messages = (await seen(page, 'labels')).slice(before);
          const first = messages.findIndex((m) => `${m.width}x${m.height}` === size);
          assert.deepEqual([...new Set(messages.slice(first).map((m) => `${m.width}x${m.height}`))], [size],
            shape.name);
          parts.push({ shape, messages: messages.slice(first) });
        }
        checkBoxes(t, parts);
        const states = (await seen(page, 'states')).map((s) => s.state);
        assert.equal(states.at(-1), 'live');
        assert.deepEqual(await seen(page, 'errors'), []);
      } finally {
        await browser?.close();
        await server.stop();
      }
    });
  }

  /** @param {import('node:test').TestContext} t @param {{shape: Shape, messages: any[]}[]} parts */
  function checkBoxes(t, parts) {
    for (const { shape, messages } of parts) {
      const fits = messages.flatMap((m) => fit(inCamera(m, shape), still));
      const good = fits.filter((v) => v >= 0.7).length / fits.length;
      t.diagnostic(`${shape.name}: ${messages[0].width}x${messages[0].height}, ${fits.length} boxes in `
        + `${messages.length} messages, ${(100 * good).toFixed(1)} % at IoU 0.7 or more`);
      assert.ok(fits.length > messages.length / 2,
        `${shape.name}: ${fits.length} boxes in ${messages.length} messages`);
      assert.ok(good >= 0.95, `${shape.name}: ${(100 * good).toFixed(1)} % of the boxes lie on their frame's face`);
    }
  }
});

/** The size that arrives. Chromium crops H264 to even sizes. @param {Shape} shape @param {string} codec */
function sizeSent({ width, height, scale = 1 }, codec) {
  return [width, height].map((v) => Math.round(v / scale)).map((v) => (codec === 'H264' ? v - (v % 2) : v)).join('x');
}

/**
 * Runs in the page: whether so many messages of a size came.
 * @param {number} from
 * @param {string} size
 * @param {number} count
 */
function enough(from, size, count) {
  const messages = /** @type {any[]} */ (/** @type {any} */ (window).seen.labels).slice(from);
  return messages.filter((m) => `${m.width}x${m.height}` === size).length >= count;
}
