// Boxes and tags over the picture. Boxes are mirrored with the picture, text is not.

import { HeatMap } from './attention.js';
import { fitPicture, placeBox, placeTag, rectAt } from './geometry.js';
import { colourOf, inkOn } from './palette.js';

const TAG_HEIGHT = 26;
const TAG_PADDING = 9;
const FONT = '600 14px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif';
const UNSURE = '#ffffff';
const WIDE = 2; // a tag may be this many times as wide as its box
const MEASURED = 1000; // cached widths: each label with a hundred percentages

/**
 * @typedef {object} OverlayOptions
 * @property {boolean} mirror
 * @property {number | undefined} selected id of a face
 * @property {readonly string[]} labels of the model
 * @property {import('./attention.js').AttentionMode} attention
 */

export class Overlay {
  #canvas;
  #language;
  #ctx;
  #heat = new HeatMap();
  /** Size of the view, in CSS pixels. @type {import('./geometry.js').Size} */
  #view = { width: 0, height: 0 };
  #blank = false;
  /** @type {Map<string, number>} widths by text: measuring is slow, and there are few different texts */
  #widths = new Map();
  /** @type {{id: number, rect: import('./geometry.js').Rect}[]} the boxes drawn now */
  #drawn = [];

  /** @param {HTMLCanvasElement} canvas over the picture @param {import('../words/language.js').Language} language */
  constructor(canvas, language) {
    this.#language = language;
    this.#canvas = canvas;
    const ctx = canvas.getContext('2d');
    if (!ctx) throw new Error('the browser gives no 2D canvas');
    this.#ctx = ctx;
  }

  /** Measures the canvas. Call it when the size has changed, as measuring forces a layout. */
  measure() {
    const { clientWidth: width, clientHeight: height } = this.#canvas;
    this.#view = { width, height };
    this.#blank = false;
  }

  /** Width of the view in device pixels. */
  get pixels() {
    return Math.round(this.#view.width * devicePixelRatio);
  }

  /**
   * @param {readonly import('../client/wire.js').Face[]} faces
   * @param {import('./geometry.js').Size} picture
   * @param {OverlayOptions} how
   */
  draw(faces, picture, { mirror, selected, labels, attention }) {
    if (faces.length === 0 && this.#blank) return;
    const view = this.#clear();
    this.#blank = faces.length === 0;
    if (picture.width === 0 || view.width === 0) return;
    const area = fitPicture(picture, view, 'contain');
    this.#drawn = faces.map((f) => ({ id: f.id, rect: placeBox(f.box, area, mirror) }));
    if (attention !== 'off') {
      for (const { attention: a } of faces) {
        if (a) this.#heat.draw(this.#ctx, a, attention, placeBox(a.region, area, mirror), mirror);
      }
    }
    const colours = faces.map((f) => colourOf(f.label, labels));
    Object.assign(this.#ctx, { font: FONT, textBaseline: 'middle' });
    faces.forEach((face, i) => this.#box(face, this.#drawn[i].rect, face.id === selected, colours[i]));
    faces.forEach((face, i) => this.#tag(face, this.#drawn[i].rect, view, colours[i])); // above all boxes
  }

  /**
   * Returns the id of the face at a point of the window.
   * @param {number} clientX
   * @param {number} clientY
   * @returns {number | undefined}
   */
  faceAt(clientX, clientY) {
    const { left, top } = this.#canvas.getBoundingClientRect();
    const at = rectAt({ x: clientX - left, y: clientY - top }, this.#drawn.map((d) => d.rect));
    return this.#drawn[at]?.id;
  }

  /** @returns {import('./geometry.js').Size} the view in CSS pixels */
  #clear() {
    this.#drawn = [];
    const { width, height } = this.#view;
    const ratio = devicePixelRatio;
    const w = Math.round(width * ratio);
    const h = Math.round(height * ratio);
    if (this.#canvas.width !== w || this.#canvas.height !== h) {
      this.#canvas.width = w;
      this.#canvas.height = h;
    }
    this.#ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.#ctx.clearRect(0, 0, width, height);
    return this.#view;
  }

  /**
   * @param {import('../client/wire.js').Face} face
   * @param {import('./geometry.js').Rect} r
   * @param {boolean} selected
   * @param {string} own
   */
  #box(face, r, selected, own) {
    const ctx = this.#ctx;
    const line = selected ? 3 : 1.5;
    if (face.uncertain) ctx.setLineDash([8, 6]);
    for (const [colour, width] of /** @type {const} */ ([
      ['rgba(0, 0, 0, 0.45)', line + 2], // visible on bright ground
      [face.uncertain ? UNSURE : own, line],
    ])) {
      ctx.strokeStyle = colour;
      ctx.lineWidth = width;
      ctx.beginPath();
      ctx.roundRect(r.x, r.y, r.width, r.height, 8);
      ctx.stroke();
    }
    if (face.uncertain) ctx.setLineDash([]);
  }

  /**
   * @param {import('../client/wire.js').Face} face
   * @param {import('./geometry.js').Rect} box
   * @param {import('./geometry.js').Size} view
   * @param {string} own colour
   */
  #tag(face, box, view, own) {
    const ctx = this.#ctx;
    let text = this.#language.tag(face);
    // a wide tag would hide its neighbours
    if (this.#widthOf(text) > WIDE * box.width) text = this.#language.shortTag(face);
    const size = { width: this.#widthOf(text) + 2 * TAG_PADDING, height: TAG_HEIGHT };
    // A gap separates the tag from the box's line.
    const at = placeTag({ ...box, y: box.y - 5 }, size, view);
    const ground = face.uncertain ? '#2b2f36' : own;
    ctx.fillStyle = ground;
    ctx.beginPath();
    ctx.roundRect(at.x, at.y, size.width, size.height, 7);
    ctx.fill();
    ctx.fillStyle = inkOn(ground);
    ctx.fillText(text, at.x + TAG_PADDING, at.y + TAG_HEIGHT / 2 + 1);
  }

  /** @param {string} text in the current font */
  #widthOf(text) {
    const known = this.#widths.get(text);
    if (known !== undefined) return known;
    if (this.#widths.size >= MEASURED) this.#widths.clear();
    const { width } = this.#ctx.measureText(text);
    this.#widths.set(text, width);
    return width;
  }
}
