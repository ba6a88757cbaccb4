// Advice over a live picture: why there is no label, or only an uncertain one.

import { LightMeter, whyNoFace, whyUnsure } from './labels/diagnose.js';

const UNSURE_MS = 3000; // a short uncertainty needs no advice

export class Advice {
  #el;
  #video;
  #store;
  #language;
  #meter = new LightMeter();
  #unsureSince = NaN;

  /**
   * @param {HTMLElement} el
   * @param {HTMLVideoElement} video
   * @param {import('./labels/labelstore.js').LabelStore} store
   * @param {import('../words/language.js').Language} language
   */
  constructor(el, video, store, language) {
    this.#el = el;
    this.#video = video;
    this.#store = store;
    this.#language = language;
  }

  /**
   * Examines the picture and shows advice.
   * @param {boolean} live
   * @param {number} now milliseconds
   * @returns {string} the new advice; empty if it did not change
   */
  update(live, now) {
    const advice = live ? this.#choose(now) : undefined;
    const text = advice ? this.#language.phrases.advice[advice] : '';
    if (this.#el.textContent === text) return '';
    this.#el.textContent = text;
    this.#el.hidden = text === '';
    return text;
  }

  /** @param {number} now @returns {keyof import('../words/en.js').Texts['advice'] | undefined} */
  #choose(now) {
    const stream = this.#video.srcObject;
    if (stream instanceof MediaStream && stream.getVideoTracks()[0]?.muted) return 'muted';
    const advice = this.#store.missing(now);
    if (advice === 'no-face') return whyNoFace(this.#meter.read(this.#video, [0, 0, 1, 1]));
    if (advice) return advice;
    const face = this.#store.face(now);
    if (!face?.uncertain) {
      this.#unsureSince = NaN;
      return undefined;
    }
    if (Number.isNaN(this.#unsureSince)) this.#unsureSince = now;
    if (now - this.#unsureSince < UNSURE_MS) return undefined;
    return whyUnsure(face, this.#store.width, this.#meter.read(this.#video, face.box));
  }
}
