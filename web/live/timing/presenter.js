// Presents pictures and their boxes: labels arrive later than the picture that they belong to.
//
// With the timing "live" a picture is shown at once, with predicted boxes. With "exact" it waits for its labels.

import { SenderClock } from '../../client/clock.js';
import { FrameMatcher } from './framematcher.js';
import { MotionPredictor } from './motion.js';
import { largest } from '../labels/labelstore.js';

const IDLE_MS = 120; // without new pictures, changes are drawn after this time
const UNSTAMPED_MS = 9; // approximate time from capture to the time of a picture without a capture timestamp
const DISPLAY_MS = 40; // approximate time from capture to display in browsers that report no frames

/** @typedef {import('../attributes.js').Timing} Timing */
/** @typedef {import('../../client/wire.js').Face} Face */

/**
 * @typedef {object} Presentation
 * @property {boolean} live
 * @property {boolean} boxes whether to draw boxes
 * @property {readonly Face[]} faces of the newest labels
 * @property {number} maxFaces
 * @property {Timing} timing
 * @property {import('../overlay.js').OverlayOptions} how
 */

export class Presenter {
  #video;
  #canvas;
  #overlay;
  #request = 0;
  #matcher = new FrameMatcher();
  #sender = new SenderClock();
  #motion = new MotionPredictor();
  #stamped = true; // whether pictures have a capture timestamp
  #frameTime = NaN; // of the newest labels: capture time, or display time if pictures have no capture timestamp
  #senderTime = NaN; // of the newest labels: capture time by the sender's clock
  /** @type {import('./exactplayout.js').ExactPlayout | undefined} */
  #exact;
  #loading = false;
  #released = false;
  /** @type {Presentation | undefined} */
  #presentation;
  #drawnAt = -Infinity;

  /**
   * @param {HTMLVideoElement} video
   * @param {HTMLCanvasElement} canvas over the video, for delayed pictures
   * @param {import('../overlay.js').Overlay} overlay over both
   */
  constructor(video, canvas, overlay) {
    this.#video = video;
    this.#canvas = canvas;
    this.#overlay = overlay;
    if (reportsFrames(video)) this.#watchFrames();
  }

  /** The picture on display. @returns {HTMLVideoElement | HTMLCanvasElement} */
  get picture() {
    return this.#canvas.hidden ? this.#video : this.#canvas;
  }

  /** Adds labels. @param {import('../../client/wire.js').Labels} message @param {number} now */
  receive({ rtp, captureTime, faces }, now) {
    const before = this.#stamped ? this.#frameTime : this.#senderTime;
    this.#senderTime = captureTime ?? NaN;
    this.#frameTime = captureTime === undefined ? NaN
      : this.#matcher.match(this.#sender.ms(rtp), captureTime + (this.#stamped ? 0 : UNSTAMPED_MS));
    if (captureTime === undefined) return;
    this.#motion.update(faces, this.#frameTime);
    const t = this.#stamped ? this.#frameTime : captureTime;
    const { newest, interval } = this.#matcher;
    // the first picture that may be shown from now on
    const first = this.#stamped ? this.#matcher.after(before) : before + interval;
    if (newest + interval > 0 && this.#isExact) {
      this.#exact?.receive(faces, t, Math.min(first || t, t), newest + interval, now);
    }
  }

  /** Sets what to present. @param {Presentation} presentation @param {number} now */
  present(presentation, now) {
    this.#presentation = presentation;
    if (!presentation.live) this.#reset();
    if (presentation.live && presentation.timing === 'exact') {
      this.#loadExact().catch((error) => console.warn('mindflow:', error));
    } else {
      this.#exact?.reset();
    }
    if (now - this.#drawnAt > IDLE_MS || !presentation.live) this.#draw(now);
  }

  /** Draws again, after a change of the layout. @param {number} now */
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
      // Pictures of a camera have a capture timestamp, others do not.
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
    const drawn = shown ? largest(shown.faces, maxFaces)
      : this.#predict(faces, Number.isNaN(newest) ? now - DISPLAY_MS : newest);
    const { picture } = this;
    const size = picture === this.#video ? { width: this.#video.videoWidth, height: this.#video.videoHeight } : picture;
    this.#overlay.draw(boxes ? drawn : [], size, how);
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
    this.#loading = true; // once: if it fails the timing stays live
    const { ExactPlayout } = await import('./exactplayout.js');
    if (!this.#released) this.#exact = new ExactPlayout(this.#canvas);
  }
}

/** Reports whether the browser reports the frames of a video. @param {HTMLVideoElement} video */
export function reportsFrames(video) {
  return 'requestVideoFrameCallback' in video;
}
