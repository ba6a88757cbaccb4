// The last minute of one face, drawn as bands that fill the height together: the scores sum to one.

import { runs, SPAN_MS } from './history.js';
import { colourOf } from './palette.js';

const FRAME_MS = 66; // a minute over a few hundred pixels moves slower than this shows
const CALM_FRAME_MS = 1000; // for visitors who prefer reduced motion
const PAUSE_MS = 1500;

/**
 * @typedef {object} Source what to draw, asked for at each drawing
 * @property {() => readonly import('./history.js').Sample[]} samples
 * @property {readonly string[]} labels
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

  /** @param {HTMLCanvasElement} canvas @param {Source} source */
  constructor(canvas, source) {
    this.#canvas = canvas;
    this.#source = source;
    const ctx = canvas.getContext('2d');
    if (!ctx) throw new Error('the browser gives no 2D canvas');
    this.#ctx = ctx;
  }

  /** Scrolls until stop, while the canvas is in sight. */
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

  /** Draws once. @param {number} now milliseconds */
  draw(now) {
    this.#drawn = now;
    const { clientWidth: width, clientHeight: height } = this.#canvas;
    const w = Math.round(width * devicePixelRatio);
    const h = Math.round(height * devicePixelRatio);
    if (this.#canvas.width !== w || this.#canvas.height !== h) {
      this.#canvas.width = w;
      this.#canvas.height = h;
    }
    this.#ctx.setTransform(w, 0, 0, h, 0, 0); // one unit wide and high
    this.#ctx.clearRect(0, 0, 1, 1);
    const labels = this.#source.labels;
    for (const run of runs(this.#source.samples(), PAUSE_MS)) this.#bands(run, labels, now);
  }

  #schedule() {
    if (!this.#running || !this.#visible || this.#frame !== 0) return;
    this.#frame = requestAnimationFrame((now) => {
      this.#frame = 0;
      if (now - this.#drawn >= (this.#calm.matches ? CALM_FRAME_MS : FRAME_MS)) this.draw(now);
      this.#schedule();
    });
  }

  /** @param {import('./history.js').Sample[]} run @param {readonly string[]} labels @param {number} now */
  #bands(run, labels, now) {
    const ctx = this.#ctx;
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
