// Which picture is shown, and where its boxes lie: labels come later than the picture that they belong to.
//
// Live, the picture is shown as it comes, and boxes are moved to where faces should be in it by now. Exact, the picture waits for its labels.

import { SenderClock } from '../../client/clock.js';
import { FrameMatcher } from './framematcher.js';
import { MotionPredictor } from './motion.js';
import { largest } from '../labels/labelstore.js';

const IDLE_MS = 120; // without a new picture, things are drawn as they change
const UNSTAMPED_MS = 9; // from capture to the time that a picture has, about, which does not bear that of its capture
const DISPLAY_MS = 40; // from capture to screen, about, where the browser tells nothing

/** @typedef {import('../attributes.js').Timing} Timing */
/** @typedef {import('../../client/wire.js').Face} Face */

/**
 * @typedef {object} Presentation
 * @property {boolean} live
 * @property {boolean} boxes whether they are drawn
 * @property {readonly Face[]} faces of the newest labels
 * @property {number} maxFaces
 * @property {Timing} timing
 * @property {import('../overlay.js').How} how
 */

export class Presenter {
  #video;
  #canvas;
  #overlay;
  #request = 0;
  #matcher = new FrameMatcher();
  #sender = new SenderClock();
  #motion = new MotionPredictor();
  #stamped = true; // whether pictures bear the time at which they were captured
  #frameTime = NaN; // when the frame of the newest labels was captured, or shown where that is not told
  #senderTime = NaN; // the same, as the sender tells it
  /** @type {import('./exactplayout.js').ExactPlayout | undefined} */
  #exact;
  #loading = false;
  #released = false;
  /** @type {Presentation | undefined} */
  #presentation;
  #drawnAt = -Infinity;

  /** @param {HTMLVideoElement} video @param {HTMLCanvasElement} canvas over it, for pictures that wait @param {import('../overlay.js').Overlay} overlay over both */
  constructor(video, canvas, overlay) {
    this.#video = video;
    this.#canvas = canvas;
    this.#overlay = overlay;
    if (reportsFrames(video)) this.#watchFrames();
  }

  /** The picture that is shown. @returns {HTMLVideoElement | HTMLCanvasElement} */
  get picture() {
    return this.#canvas.hidden ? this.#video : this.#canvas;
  }

  /** Labels came. @param {import('../../client/wire.js').Labels} message @param {number} now */
  receive({ rtp, captureTime, faces }, now) {
    const before = this.#stamped ? this.#frameTime : this.#senderTime;
    this.#senderTime = captureTime ?? NaN;
    this.#frameTime = captureTime === undefined ? NaN : this.#matcher.match(this.#sender.ms(rtp), captureTime + (this.#stamped ? 0 : UNSTAMPED_MS));
    if (captureTime === undefined) return;
    this.#motion.update(faces, this.#frameTime);
    const t = this.#stamped ? this.#frameTime : captureTime;
    const { newest, interval } = this.#matcher;
    const first = this.#stamped ? this.#matcher.after(before) : before + interval; // of the pictures that may be shown from now on
    if (newest + interval > 0 && this.#isExact) this.#exact?.receive(faces, t, Math.min(first || t, t), newest + interval, now);
  }

  /** Shows something from now on. @param {Presentation} what @param {number} now */
  present(what, now) {
    this.#presentation = what;
    if (!what.live) this.#reset();
    if (what.live && what.timing === 'exact') this.#loadExact().catch((error) => console.warn('mindflow:', error));
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

  #watchFrames() {
    this.#request = this.#video.requestVideoFrameCallback((now, { captureTime, presentationTime }) => {
      // A camera's picture bears the time at which it was captured; others come as they are made.
      const t = captureTime ?? presentationTime;
      this.#stamped = captureTime !== undefined;
      this.#matcher.addShown(t);
      if (this.#isExact) this.#exact?.capture(this.#video, t, this.#overlay.pixels, this.#stamped);
      this.#draw(now);
      if (!this.#released) this.#watchFrames();
    });
  }

  get #isExact() {
    return this.#presentation?.live === true && this.#presentation.timing === 'exact';
  }

  /** @param {number} now */
  #draw(now) {
    if (!this.#presentation || this.#released) return;
    this.#drawnAt = now;
    const { boxes, faces, maxFaces, how } = this.#presentation;
    const newest = this.#matcher.newest;
    const shown = this.#isExact ? this.#exact?.present(newest, now) : undefined;
    const lie = shown ? largest(shown.faces, maxFaces) : this.#predict(faces, Number.isNaN(newest) ? now - DISPLAY_MS : newest);
    const { picture } = this;
    const size = picture === this.#video ? { width: this.#video.videoWidth, height: this.#video.videoHeight } : picture;
    this.#overlay.draw(boxes ? lie : [], size, how);
  }

  /** @param {readonly Face[]} faces @param {number} t */
  #predict(faces, t) {
    return Number.isNaN(this.#frameTime) ? faces : this.#motion.predict(faces, t);
  }

  #reset() {
    this.#matcher.restart();
    this.#sender = new SenderClock();
    this.#frameTime = NaN;
  }

  async #loadExact() {
    if (this.#loading || !reportsFrames(this.#video)) return;
    this.#loading = true; // once: where that fails the picture stays live
    const { ExactPlayout } = await import('./exactplayout.js');
    if (!this.#released) this.#exact = new ExactPlayout(this.#canvas);
  }
}

/** Whether the browser tells which picture a video shows. @param {HTMLVideoElement} video */
export function reportsFrames(video) {
  return 'requestVideoFrameCallback' in video;
}
