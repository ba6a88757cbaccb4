// Attention maps: where the network looks, drawn as a heat map.

import { oklch } from './colour.js';

/** @typedef {import('../client/wire.js').Attention} Attention */
/** @typedef {'off' | 'mean' | number} AttentionMode the mean of the heads, or one head, from 1 */

/** Parses the attribute `attention`. @param {string | null} text @returns {AttentionMode} */
export function attentionMode(text) {
  if (text === 'mean') return 'mean';
  return text !== null && /^[1-9]\d?$/.test(text) ? Number(text) : 'off';
}

/**
 * Returns the map to show. Each head's values are scaled to its own range, because the magnitudes of different heads
 * are not comparable. The mean of the scaled heads is scaled again.
 * @param {Attention} attention
 * @param {'mean' | number} show a number beyond the last head means the last one
 * @returns {number[]} width × height values, 0..1, row by row
 */
export function attentionMap({ heads, width, height, data }, show) {
  const bytes = atob(data);
  const size = width * height;
  const value = (/** @type {number} */ head, /** @type {number} */ i) => bytes.charCodeAt(head * size + i) / 255;
  if (show !== 'mean') return Array.from({ length: size }, (_, i) => value(Math.min(show, heads) - 1, i));
  const sums = Array.from({ length: size }, (_, i) => {
    let sum = 0;
    for (let head = 0; head < heads; head++) sum += value(head, i);
    return sum;
  });
  const low = Math.min(...sums);
  const span = Math.max(...sums) - low;
  return sums.map((v) => (span > 0 ? (v - low) / span : 0));
}

/**
 * Interpolates between the centres of a map's cells, smoothly and without overshoot.
 * @param {readonly number[]} map
 * @param {number} width
 * @param {number} height
 * @param {number} x 0..1 from the left
 * @param {number} y 0..1 from the top
 */
export function interpolate(map, width, height, x, y) {
  const [left, right, fx] = between(x, width);
  const [top, bottom, fy] = between(y, height);
  const row = (/** @type {number} */ r) => map[r * width + left] * (1 - fx) + map[r * width + right] * fx;
  return row(top) * (1 - fy) + row(bottom) * fy;
}

/**
 * @param {number} at 0..1
 * @param {number} cells
 * @returns {[number, number, number]} two cells and the weight of the second
 */
function between(at, cells) {
  const place = Math.min(cells - 1, Math.max(0, at * cells - 0.5));
  const low = Math.floor(place);
  const f = place - low;
  return [low, Math.min(cells - 1, low + 1), f * f * (3 - 2 * f)];
}

/**
 * Returns where a map is strongest, in thirds of the displayed picture.
 * @param {readonly number[]} map
 * @param {number} width
 * @param {number} height
 * @param {boolean} mirror
 * @returns {[row: number, column: number]} 0..2 from the top, 0..2 from the left
 */
export function strongestCell(map, width, height, mirror) {
  const at = map.indexOf(Math.max(...map));
  const third = (/** @type {number} */ i, /** @type {number} */ n) => Math.min(2, Math.floor(((i + 0.5) * 3) / n));
  const column = third(at % width, width);
  return [third(Math.floor(at / width), height), mirror ? 2 - column : column];
}

const STEPS = 64;

/** From dark violet over red to light yellow. Lightness rises evenly, so that the order shows without colour vision. */
const COLOURS = Array.from({ length: STEPS }, (_, i) => {
  const t = i / (STEPS - 1);
  const [r, g, b] = oklch(0.28 + 0.66 * t, 0.08 + 0.42 * t * (1 - t), 295 + 170 * t);
  return /** @type {const} */ ([r, g, b, Math.round(255 * (0.3 + 0.42 * t))]);
});

/** @param {number} value 0..1 @returns {readonly [number, number, number, number]} red, green, blue, alpha, 0..255 */
export function colourAt(value) {
  return COLOURS[Math.round(Math.min(1, Math.max(0, value)) * (STEPS - 1))];
}

const SIDE = 48; // pixels of the image that is stretched over the face

/** Draws heat maps. */
export class HeatMap {
  #canvas = document.createElement('canvas');
  #ctx;

  constructor() {
    this.#canvas.width = this.#canvas.height = SIDE;
    const ctx = this.#canvas.getContext('2d');
    if (!ctx) throw new Error('the browser gives no 2D canvas');
    this.#ctx = ctx;
  }

  /**
   * @param {CanvasRenderingContext2D} ctx
   * @param {Attention} attention
   * @param {'mean' | number} show
   * @param {import('./geometry.js').Rect} rect of the map's region
   * @param {boolean} mirror
   */
  draw(ctx, attention, show, rect, mirror) {
    const { width, height } = attention;
    const map = attentionMap(attention, show);
    const image = this.#ctx.createImageData(SIDE, SIDE);
    for (let i = 0; i < SIDE * SIDE; i++) {
      const x = ((i % SIDE) + 0.5) / SIDE;
      const y = (Math.floor(i / SIDE) + 0.5) / SIDE;
      image.data.set(colourAt(interpolate(map, width, height, mirror ? 1 - x : x, y)), 4 * i);
    }
    this.#ctx.putImageData(image, 0, 0);
    ctx.save();
    ctx.beginPath();
    ctx.roundRect(rect.x, rect.y, rect.width, rect.height, 12);
    ctx.clip();
    ctx.imageSmoothingQuality = 'high';
    ctx.drawImage(this.#canvas, rect.x, rect.y, rect.width, rect.height);
    ctx.restore();
  }
}

/** The colours as a CSS gradient, opaque. */
export function colourScale() {
  const stops = [0, 0.25, 0.5, 0.75, 1].map((t) => `rgb(${colourAt(t).slice(0, 3).join(' ')})`);
  return `linear-gradient(to right, ${stops.join(', ')})`;
}
