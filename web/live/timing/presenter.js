// Which picture is shown, and where its boxes lie: labels come later than the picture that they belong to.
//
// Live, the picture is shown as it comes, and boxes are moved to where faces should be in it by now. Exact, the picture waits for its labels.

import { SenderClock } from '../../client/clock.js';
import { Match } from './framematcher.js';
import { Motions } from './motion.js';
import { largest } from '../labels/labelstore.js';

const IDLE_MS = 120; // without a new picture, things are drawn as they change
const UNTOLD_MS = 9; // from capture to the time that a picture has, about, which does not bear that of its capture
const SHOWN_MS = 40; // from capture to screen, about, where the browser tells nothing

/** @typedef {import('../attributes.js').Timing} Timing */
/** @typedef {import('../../client/wire.js').Face} Face */

/**
 * @typedef {object} What
 * @property {boolean} live
 * @property {boolean} boxes whether they are drawn
 * @property {readonly Face[]} faces of the newest labels
 * @property {number} maxFaces
 * @property {Timing} timing
 * @property {import('../overlay.js').How} how
 */

export class Showing {
  #video;
  #canvas;
  #overlay;
  #request = 0;
  #match = new Match();
  #sender = new SenderClock();
  #motions = new Motions();
  #told = true; // whether pictures bear the time at which they were captured
  #placed = NaN; // when the frame of the newest labels was captured, or shown where that is not told
  #captured = NaN; // the same, as the sender tells it
  /** @type {import('./exact.js').Exact | undefined} */
  #exact;
  #loading = false;
  #released = false;
  /** @type {What | undefined} */
  #what;
  #drawnAt = -Infinity;

  /** @param {HTMLVideoElement} video @param {HTMLCanvasElement} canvas over it, for pictures that wait @param {import('../overlay.js').Overlay} overlay over both */
  constructor(video, canvas, overlay) {
    this.#video = video;
    this.#canvas = canvas;
    this.#overlay = overlay;
    if (tells(video)) this.#follow();
  }

  /** The picture that is shown. @returns {HTMLVideoElement | HTMLCanvasElement} */
  get picture() {
    return this.#canvas.hidden ? this.#video : this.#canvas;
  }

  /** Labels came. @param {import('../../client/wire.js').Labels} message @param {number} now */
  see({ rtp, captureTime, faces }, now) {
    const before = this.#told ? this.#placed : this.#captured;
    this.#captured = captureTime ?? NaN;
    this.#placed = captureTime === undefined ? NaN : this.#match.place(this.#sender.ms(rtp), captureTime + (this.#told ? 0 : UNTOLD_MS));
    if (captureTime === undefined) return;
    this.#motions.see(faces, this.#placed);
    const t = this.#told ? this.#placed : captureTime;
    const { newest, interval } = this.#match;
    const first = this.#told ? this.#match.after(before) : before + interval; // of the pictures that may be shown from now on
    if (newest + interval > 0 && this.#waits) this.#exact?.see(faces, t, Math.min(first || t, t), newest + interval, now);
  }

  /** Shows something from now on. @param {What} what @param {number} now */
  set(what, now) {
    this.#what = what;
    if (!what.live) this.#reset();
    if (what.live && what.timing === 'exact') this.#load().catch((error) => console.warn('mindflow:', error));
    else this.#exact?.reset();
    if (now - this.#drawnAt > IDLE_MS || !what.live) this.#draw(now);
  }

  /** Things lie elsewhere. @param {number} now */
  redraw(now) {
    this.#draw(now);
  }

  release() {
    this.#released = true;
    this.#video.cancelVideoFrameCallback?.(this.#request);
    this.#exact?.reset();
  }

  #follow() {
    this.#request = this.#video.requestVideoFrameCallback((now, { captureTime, presentationTime }) => {
      // A camera's picture bears the time at which it was captured; others come as they are made.
      const t = captureTime ?? presentationTime;
      this.#told = captureTime !== undefined;
      this.#match.show(t);
      if (this.#waits) this.#exact?.keep(this.#video, t, this.#overlay.pixels, this.#told);
      this.#draw(now);
      if (!this.#released) this.#follow();
    });
  }

  get #waits() {
    return this.#what?.live === true && this.#what.timing === 'exact';
  }

  /** @param {number} now */
  #draw(now) {
    if (!this.#what || this.#released) return;
    this.#drawnAt = now;
    const { boxes, faces, maxFaces, how } = this.#what;
    const newest = this.#match.newest;
    const shown = this.#waits ? this.#exact?.show(newest, now) : undefined;
    const lie = shown ? largest(shown.faces, maxFaces) : this.#ahead(faces, Number.isNaN(newest) ? now - SHOWN_MS : newest);
    const { picture } = this;
    const size = picture === this.#video ? { width: this.#video.videoWidth, height: this.#video.videoHeight } : picture;
    this.#overlay.draw(boxes ? lie : [], size, how);
  }

  /** @param {readonly Face[]} faces @param {number} t */
  #ahead(faces, t) {
    return Number.isNaN(this.#placed) ? faces : this.#motions.at(faces, t);
  }

  #reset() {
    this.#match.restart();
    this.#sender = new SenderClock();
    this.#placed = NaN;
  }

  async #load() {
    if (this.#loading || !tells(this.#video)) return;
    this.#loading = true; // once: where that fails the picture stays live
    const { Exact } = await import('./exact.js');
    if (!this.#released) this.#exact = new Exact(this.#canvas);
  }
}

/** Whether the browser tells which picture a video shows. @param {HTMLVideoElement} video */
export function tells(video) {
  return 'requestVideoFrameCallback' in video;
}
