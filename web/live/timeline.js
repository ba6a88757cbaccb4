// The last minute of one face, drawn as stacked bands that fill the height: the scores sum to one.

import { runs, SPAN_MS } from './labels/scorehistory.js';
import { colourOf } from './palette.js';

const FRAME_MS = 66; // a minute across a few hundred pixels moves slower than this
const CALM_FRAME_MS = 1000; // for visitors who prefer reduced motion
const PAUSE_MS = 1500;

/** @typedef {import('./labels/scorehistory.js').Sample} Sample */

/**
 * @typedef {object} TimelineData read at each drawing
 * @property {() => readonly Sample[]} samples
 * @property {readonly string[]} labels
 */

/**
 * @typedef {{now: number, samples: readonly Sample[], labels: readonly string[]}} TimelinePicture now: time of the
 *   right edge, milliseconds
 */

export class Timeline {
  #canvas;
  #ctx;
  #source;
  #calm = matchMedia('(prefers-reduced-motion: reduce)');
  #visible = true;
  #running = false;
  #frame = 0;
  #drawn = -Infinity;
  /** @type {IntersectionObserver | undefined} */
  #observer;
  /** @type {TimelinePicture | undefined} the frozen picture */
  #held;
  #now = 0;

  /** Position of the cursor, as a fraction of the width; undefined for none. @type {number | undefined} */
  cursor;

  /** @param {HTMLCanvasElement} canvas @param {TimelineData} source */
  constructor(canvas, source) {
    this.#canvas = canvas;
    this.#source = source;
    const ctx = canvas.getContext('2d');
    if (!ctx) throw new Error('the browser gives no 2D canvas');
    this.#ctx = ctx;
  }

  /** Scrolls until stop, while the canvas is visible. */
  start() {
    if (this.#running) return;
    this.#running = true;
    this.#observer = new IntersectionObserver(([entry]) => {
      this.#visible = entry.isIntersecting;
      this.#schedule();
    });
    this.#observer.observe(this.#canvas);
    this.#schedule();
  }

  stop() {
    this.#running = false;
    this.#observer?.disconnect();
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
  }

  /** Freezes the picture, or lets it scroll. @param {boolean} on */
  hold(on) {
    this.#held = undefined;
    if (on) this.#held = { ...this.shown, samples: [...this.#source.samples()] };
    this.draw(this.#now);
  }

  /** The displayed data. @returns {TimelinePicture} */
  get shown() {
    return this.#held ?? { now: this.#now, samples: this.#source.samples(), labels: this.#source.labels };
  }

  /**
   * Returns the data at a position.
   * @param {number} x fraction of the width
   * @returns {{ago: number, sample: Sample | undefined}} ago: seconds before the right edge; sample: undefined if there
   *   was no face
   */
  at(x) {
    const { now, samples } = this.shown;
    const t = now - (1 - x) * SPAN_MS;
    const near = samples.reduce((/** @type {Sample | undefined} */ a, b) =>
      (a && Math.abs(a.t - t) <= Math.abs(b.t - t) ? a : b), undefined);
    return { ago: Math.round(((1 - x) * SPAN_MS) / 1000), sample: near && Math.abs(near.t - t) <= PAUSE_MS ? near
      : undefined };
  }

  /** Draws once. @param {number} now milliseconds */
  draw(now) {
    this.#drawn = this.#now = now;
    const { clientWidth: width, clientHeight: height } = this.#canvas;
    const w = Math.round(width * devicePixelRatio);
    const h = Math.round(height * devicePixelRatio);
    if (this.#canvas.width !== w || this.#canvas.height !== h) {
      this.#canvas.width = w;
      this.#canvas.height = h;
    }
    const ctx = this.#ctx;
    ctx.setTransform(w, 0, 0, h, 0, 0); // the unit square
    ctx.clearRect(0, 0, 1, 1);
    drawBands(ctx, this.shown);
    if (this.cursor === undefined || w === 0) return;
    const line = devicePixelRatio / w;
    ctx.fillStyle = '#ffffff';
    ctx.fillRect(this.cursor - 1.5 * line, 0, 3 * line, 1);
    ctx.fillStyle = '#000000';
    ctx.fillRect(this.cursor - 0.5 * line, 0, line, 1);
  }

  #schedule() {
    if (!this.#running || !this.#visible || this.#frame !== 0) return;
    this.#frame = requestAnimationFrame((now) => {
      this.#frame = 0;
      if (now - this.#drawn >= (this.#calm.matches ? CALM_FRAME_MS : FRAME_MS)) this.draw(now);
      this.#schedule();
    });
  }
}

/** Draws the bands in the unit square. @param {CanvasRenderingContext2D} ctx @param {TimelinePicture} shown */
export function drawBands(ctx, { now, samples, labels }) {
  for (const run of runs(samples, PAUSE_MS)) {
    const xs = run.map(({ t }) => 1 - (now - t) / SPAN_MS);
    let lower = run.map(() => 0);
    labels.forEach((label, i) => {
      const base = lower;
      const upper = base.map((y, k) => y + (run[k].scores[i] ?? 0));
      ctx.fillStyle = colourOf(label, labels);
      ctx.beginPath();
      xs.forEach((x, k) => ctx.lineTo(x, 1 - upper[k]));
      for (let k = xs.length - 1; k >= 0; k--) ctx.lineTo(xs[k], 1 - base[k]);
      ctx.fill();
      lower = upper;
    });
  }
}
