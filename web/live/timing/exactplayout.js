// Shows each picture later, together with its own labels. Loaded on demand. The pictures are copies, since holding a
// camera's own frames back would stop the camera.

import { Alignment } from './alignment.js';
import { PlayoutDelay } from './playoutdelay.js';
import { moveFace } from './motion.js';

const MAX_PICTURES = 36; // over a second of a usual camera
const MAX_LABELS = 64;
const HOLD_MS = 250; // a picture waits this much longer for late labels; then the playout goes on with predicted boxes
const SAME_MS = 2;

/** @typedef {{t: number, canvas: HTMLCanvasElement}} Picture t: its capture time, or its display time if it has none */
/** @typedef {{t: number, faces: readonly import('../../client/wire.js').Face[]}} Labelled */

export class ExactPlayout {
  #canvas;
  #ctx;
  #delay = new PlayoutDelay();
  /** @type {Picture[]} oldest first; the first may be on display */
  #pictures = [];
  /** @type {HTMLCanvasElement[]} for reuse */
  #spare = [];
  /** @type {Labelled[]} oldest first */
  #labels = [];
  #presented = -Infinity; // the t of the picture on display
  /** @type {Alignment | undefined} if pictures have no capture timestamp */
  #alignment;

  /** @param {HTMLCanvasElement} canvas over the video */
  constructor(canvas) {
    this.#canvas = canvas;
    this.#ctx = context(canvas);
  }

  /**
   * Stores the picture that a video shows.
   * @param {HTMLVideoElement} video
   * @param {number} t its time
   * @param {number} maxWidth in pixels
   * @param {boolean} [stamped] whether t is the capture time; otherwise it is the display time
   */
  capture(video, t, maxWidth, stamped = true) {
    if (stamped) this.#alignment = undefined;
    else (this.#alignment ??= new Alignment()).addPicture(t);
    if (video.videoWidth === 0 || t <= (this.#pictures.at(-1)?.t ?? -Infinity)) return;
    const canvas = (this.#pictures.length < MAX_PICTURES ? this.#spare.pop() : this.#pictures.shift()?.canvas)
      ?? document.createElement('canvas');
    const scale = Math.min(1, Math.max(160, maxWidth) / video.videoWidth);
    fit(canvas, Math.round(video.videoWidth * scale), Math.round(video.videoHeight * scale));
    context(canvas).drawImage(video, 0, 0, canvas.width, canvas.height);
    this.#pictures.push({ t, canvas });
  }

  /**
   * Adds labels.
   * @param {readonly import('../../client/wire.js').Face[]} faces
   * @param {number} t capture time of their frame
   * @param {number} first capture time of the first picture that they complete
   * @param {number} next the t of the next picture
   * @param {number} now
   */
  receive(faces, t, first, next, now) {
    if (t <= (this.#labels.at(-1)?.t ?? -Infinity)) return;
    this.#delay.add(this.#captureTime(next) - first, now);
    this.#alignment?.addFrame(t);
    this.#labels.push({ t, faces });
    if (this.#labels.length > MAX_LABELS) this.#labels.shift();
  }

  /**
   * Displays the picture that is due.
   * @param {number} newest the t of the picture in the video
   * @param {number} now
   * @returns {Labelled | undefined} the labels of the displayed picture; undefined if there is none
   */
  present(newest, now) {
    const delay = this.#delay.at(now);
    const labelled = this.#labels.at(-1)?.t ?? NaN;
    const due = this.#captureTime(newest) - delay;
    const t = Math.max(Math.min(due, labelled), due - HOLD_MS);
    const at = this.#pictures.findLastIndex((k) => this.#captureTime(k.t) <= t + SAME_MS || k.t <= this.#presented);
    if (Number.isNaN(t) || at < 0) return undefined;
    for (const { canvas } of this.#pictures.splice(0, at)) this.#spare.push(canvas);
    const [{ t: shown, canvas }] = this.#pictures;
    if (shown > this.#presented) {
      fit(this.#canvas, canvas.width, canvas.height);
      this.#ctx.drawImage(canvas, 0, 0);
      this.#presented = shown;
    }
    this.#canvas.hidden = false;
    const captured = this.#captureTime(shown);
    return { t: captured, faces: this.#facesAt(captured) };
  }

  /** Releases all pictures and resets the delay. */
  reset() {
    if (this.#canvas.hidden && this.#pictures.length === 0) return;
    for (const { canvas } of this.#pictures) fit(canvas, 0, 0);
    for (const canvas of [...this.#spare, this.#canvas]) fit(canvas, 0, 0);
    this.#pictures = [];
    this.#spare = [];
    this.#labels = [];
    this.#delay = new PlayoutDelay();
    this.#presented = -Infinity;
    this.#alignment = undefined;
    this.#canvas.hidden = true;
  }

  /** Returns the capture time of a picture. @param {number} t its time */
  #captureTime(t) {
    return this.#alignment?.captureTime(t) ?? t;
  }

  /**
   * Returns the faces at a time: those of its labels, or interpolated between the two nearest labels.
   * @param {number} t
   */
  #facesAt(t) {
    const i = this.#labels.findLastIndex((l) => l.t <= t + SAME_MS);
    const [a, b] = [this.#labels[i], this.#labels[i + 1]];
    if (!a) return [];
    if (!b || t - a.t <= SAME_MS) return a.faces;
    const f = (t - a.t) / (b.t - a.t);
    return a.faces.map((face) => {
      const next = b.faces.find((other) => other.id === face.id);
      return next ? moveFace(face, /** @type {import('./motion.js').Box} */ (face.box
        .map((v, k) => v + f * (next.box[k] - v)))) : face;
    });
  }
}

/** @param {HTMLCanvasElement} canvas @param {number} width @param {number} height */
function fit(canvas, width, height) {
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
}

/** @param {HTMLCanvasElement} canvas */
function context(canvas) {
  const ctx = canvas.getContext('2d', { alpha: false });
  if (!ctx) throw new Error('the browser gives no 2D canvas');
  return ctx;
}
