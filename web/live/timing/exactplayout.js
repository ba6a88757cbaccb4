// Pictures that are shown later than they came, each with the labels that belong to it. Loaded where it is asked for.

import { Alignment } from './alignment.js';
import { PlayoutDelay } from './playoutdelay.js';
import { moveFace } from './motion.js';

const MAX_PICTURES = 36; // pictures at most: over a second of a usual camera
const MAX_LABELS = 64;
const HOLD_MS = 250; // that a picture stands still for labels which are late; then it goes on, and its boxes are expected ones
const SAME_MS = 2;

/** @typedef {{t: number, canvas: HTMLCanvasElement}} Picture t: when it was captured, or shown where that is not told */
/** @typedef {{t: number, faces: readonly import('../../client/wire.js').Face[]}} Labelled */

export class ExactPlayout {
  #canvas;
  #ctx;
  #delay = new PlayoutDelay();
  /** @type {Picture[]} oldest first; the first may be the one that is shown */
  #pictures = [];
  /** @type {HTMLCanvasElement[]} to be used again */
  #spare = [];
  /** @type {Labelled[]} oldest first */
  #labels = [];
  #presented = -Infinity; // the t of the picture that is shown
  /** @type {Alignment | undefined} where pictures do not bear the time at which they were captured */
  #alignment;

  /** @param {HTMLCanvasElement} canvas over the video */
  constructor(canvas) {
    this.#canvas = canvas;
    this.#ctx = context(canvas);
  }

  /**
   * Keeps the picture that a video shows.
   * @param {HTMLVideoElement} video
   * @param {number} t when it was captured
   * @param {number} most pixels of width that are of use
   * @param {boolean} [told] whether it bears that time; otherwise t is when it was shown
   */
  capture(video, t, most, told = true) {
    if (told) this.#alignment = undefined;
    else (this.#alignment ??= new Alignment()).addPicture(t);
    if (video.videoWidth === 0 || t <= (this.#pictures.at(-1)?.t ?? -Infinity)) return;
    const canvas = (this.#pictures.length < MAX_PICTURES ? this.#spare.pop() : this.#pictures.shift()?.canvas) ?? document.createElement('canvas');
    const scale = Math.min(1, Math.max(160, most) / video.videoWidth);
    fit(canvas, Math.round(video.videoWidth * scale), Math.round(video.videoHeight * scale));
    context(canvas).drawImage(video, 0, 0, canvas.width, canvas.height);
    this.#pictures.push({ t, canvas });
  }

  /**
   * Labels came.
   * @param {readonly import('../../client/wire.js').Face[]} faces
   * @param {number} t when their frame was captured
   * @param {number} first when the first of the pictures was captured which they complete
   * @param {number} next the t of the picture that comes next
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
   * Shows the picture that is due.
   * @param {number} newest the t of the picture that the video shows
   * @param {number} now
   * @returns {Labelled | undefined} what belongs to it; undefined while there is none
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

  /** Lets go of all pictures, and of the delay. */
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

  /** When a picture was captured. @param {number} t its own */
  #captureTime(t) {
    return this.#alignment?.captureTime(t) ?? t;
  }

  /** The faces of a frame: as they were said, or between the two frames around it that were analysed. @param {number} t */
  #facesAt(t) {
    const i = this.#labels.findLastIndex((l) => l.t <= t + SAME_MS);
    const [a, b] = [this.#labels[i], this.#labels[i + 1]];
    if (!a) return [];
    if (!b || t - a.t <= SAME_MS) return a.faces;
    const f = (t - a.t) / (b.t - a.t);
    return a.faces.map((face) => {
      const next = b.faces.find((other) => other.id === face.id);
      return next ? moveFace(face, /** @type {import('./motion.js').Box} */ (face.box.map((v, k) => v + f * (next.box[k] - v)))) : face;
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
