// A camera whose truth is known: a face that moves by a formula, and in each picture the picture's number. What is
// shown tells which picture it is, so where the face truly is in it; what is drawn on the overlay tells where the box
// lies.

import path from 'node:path';
import { readFileSync } from 'node:fs';
import { root } from './truth.js';

export const WIDTH = 640;
export const HEIGHT = 480;
const photo = path.join(root, 'node_modules/@vladmandic/face-api/demo/sample6.jpg');

/** The face's way: at rest in the first pictures, then in a circle. */
export const WAY = { rest: 60, radius: 90, round: 72, x: 320, y: 225, fps: 20 };

/** Pixels that the face moves from a picture to the next. */
export const STEP = 2 * WAY.radius * Math.sin(Math.PI / WAY.round);

/**
 * Where the face is in a picture.
 * @param {number} n its number
 * @param {typeof WAY} way
 * @returns {[x: number, y: number]} pixels
 */
export function placeOf(n, way = WAY) {
  const turn = (2 * Math.PI * Math.max(0, n - way.rest)) / way.round;
  return [way.x + way.radius * Math.sin(turn), way.y + way.radius * (1 - Math.cos(turn)) - way.radius];
}

/** What `prepare` needs. */
export const arguments_ = () => /** @type {const} */ (
  [`data:image/jpeg;base64,${readFileSync(photo).toString('base64')}`, WAY, placeOf.toString()]);

/**
 * Runs in the page before its own scripts: makes the camera, and notes what is drawn.
 * @param {string} picture as a data: address
 * @param {typeof WAY} way
 * @param {string} place placeOf's source
 */
export function prepare(picture, way, place) {
  const BITS = 14;
  const CELL = 20;
  const where = /** @type {typeof placeOf} */ (new Function(`return (${place.replace('= WAY', '')})`)());
  navigator.mediaDevices.getUserMedia = async () => {
    const image = new Image();
    image.src = picture;
    await image.decode();
    const canvas = document.createElement('canvas');
    Object.assign(canvas, { width: 640, height: 480 });
    const ctx = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
    let n = 0;
    const draw = () => {
      ctx.fillStyle = '#596066';
      ctx.fillRect(0, 0, 640, 480);
      const [x, y] = where(n, way);
      // the face is the middle of this part
      ctx.drawImage(image, 1266 - 220, 468 - 220, 440, 440, x - 140, y - 140, 280, 280);
      for (let bit = 0; bit < BITS; bit++) {
        ctx.fillStyle = (n >> bit) & 1 ? '#ffffff' : '#000000';
        ctx.fillRect(bit * CELL, 480 - CELL, CELL, CELL);
      }
      n++;
    };
    draw();
    const timer = setInterval(draw, 1000 / way.fps);
    const stream = canvas.captureStream();
    const [track] = stream.getVideoTracks();
    const stop = track.stop.bind(track);
    track.stop = () => { clearInterval(timer); stop(); };
    return stream;
  };

  const small = document.createElement('canvas');
  Object.assign(small, { width: BITS * CELL, height: CELL });
  const read = /** @type {CanvasRenderingContext2D} */ (small.getContext('2d', { willReadFrequently: true }));
  const number = (/** @type {any} */ shown, /** @type {number} */ width, /** @type {number} */ height) => {
    const f = width / 640;
    read.drawImage(shown, 0, height - CELL * f, BITS * CELL * f, CELL * f, 0, 0, BITS * CELL, CELL);
    const { data } = read.getImageData(0, 0, BITS * CELL, CELL);
    let n = 0;
    for (let bit = 0; bit < BITS; bit++) if (data[4 * ((CELL / 2) * BITS * CELL + bit * CELL
      + CELL / 2)] > 127) n |= 1 << bit;
    return n;
  };
  // The overlay's boxes are its rectangles with a radius of 8.
  const { roundRect, clearRect } = CanvasRenderingContext2D.prototype;
  /** @type {number[] | undefined} */
  let box;
  CanvasRenderingContext2D.prototype.clearRect = function (/** @type {[number, number, number, number]} */ ...args) {
    if (this.canvas.className.includes('overlay')) box = undefined;
    return clearRect.apply(this, args);
  };
  CanvasRenderingContext2D.prototype.roundRect = function (/** @type {Parameters<typeof roundRect>} */ ...args) {
    if (this.canvas.className.includes('overlay') && args[4] === 8) box = args.slice(0, 4).map(Number);
    return roundRect.apply(this, args);
  };
  const truth = { samples: /** @type {any[]} */ ([]), labels: /** @type {any[]} */ ([]),
    errors: /** @type {any[]} */ ([]) };
  Object.assign(window, { truth });
  addEventListener('mindflow-labels',
    (e) => truth.labels.push({ ...(/** @type {CustomEvent} */ (e).detail), came: performance.now() }));
  addEventListener('mindflow-error', (e) => truth.errors.push(/** @type {CustomEvent} */ (e).detail));
  const sample = () => {
    requestAnimationFrame(sample);
    const tree = document.querySelector('mindflow-live')?.shadowRoot;
    const video = tree?.querySelector('video');
    const waiting = /** @type {HTMLCanvasElement | null | undefined} */ (tree?.querySelector('.waiting'));
    const overlay = tree?.querySelector('.overlay');
    if (!video || !waiting || !overlay || video.videoWidth === 0 || !box) return;
    const n = waiting.hidden ? number(video, video.videoWidth, video.videoHeight)
      : number(waiting, waiting.width, waiting.height);
    const scale = Math.min(overlay.clientWidth / 640, overlay.clientHeight / 480);
    const centre = [0, 1]
      .map((i) => (/** @type {number[]} */ (box)[i]
      + /** @type {number[]} */ (box)[i + 2] / 2 - (
      (i ? overlay.clientHeight : overlay.clientWidth) - scale * (i ? 480 : 640)) / 2) / scale);
    const raw = truth.labels.at(-1)?.faces[0]?.box;
    truth.samples.push({
      n, centre, raw: raw && [640 * (raw[0] + raw[2] / 2), 480 * (raw[1] + raw[3] / 2)], waits: !waiting.hidden,
        at: performance.now(),
      side: 640 * (raw?.[2] ?? 0),
    });
  };
  requestAnimationFrame(sample);
}
