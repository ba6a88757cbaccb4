// Which of the frames that are shown here some labels belong to. Pure: times are passed in, in milliseconds.
//
// The sender's clock and that of the shown frames run alike, but how far apart they are is known only to some milliseconds
// (clock.js), and a camera's frames can be as near to each other. What settles it is their pattern: only when laid over each other in the
// right way do all the frames that were sent meet one that was shown. Where they come so evenly that every way fits, the nearest counts.

const SPAN_MS = 3000; // of frames that are remembered
const MAX_SENT = 40; // sent frames that are laid over those that were shown
const MATCH_MS = 2.5; // timestamps are of whole milliseconds
const CLOCK_BIAS_MS = 4; // what clock.js tells is later than the truth by about so much
const SWITCH_MARGIN = 0.1; // by how much another way must fit better, so that two alike do not alternate

export class FrameMatcher {
  /** @type {number[]} when frames were captured that were shown, oldest first */
  #shown = [];
  /** @type {number[]} the sender's times of those that there are labels of, oldest first */
  #sent = [];
  #shift = NaN; // from the sender's time to that of the shown frames
  #score = 0;

  /** The sender's clock began anew. */
  restart() {
    this.#sent = [];
    this.#shift = NaN;
  }

  /** A frame was shown. @param {number} t when it was captured */
  addShown(t) {
    const last = this.#shown.at(-1) ?? -Infinity;
    if (t <= last) {
      if (last - t > SPAN_MS) this.#shown = [];
      else return;
    }
    this.#shown.push(t);
    while (this.#shown[0] < t - SPAN_MS) this.#shown.shift();
  }

  /** How long a frame lasts, about; NaN until two were shown. */
  get interval() {
    const n = Math.min(this.#shown.length, 12);
    return n > 1 ? ((this.#shown.at(-1) ?? 0) - this.#shown[this.#shown.length - n]) / (n - 1) : NaN;
  }

  /** When the newest shown frame was captured; NaN before there is one. */
  get newest() {
    return this.#shown.at(-1) ?? NaN;
  }

  /** When the first frame after `t` was captured. @param {number} t @returns {number | undefined} */
  after(t) {
    return this.#shown.find((s) => s > t + MATCH_MS);
  }

  /**
   * When a frame was captured, as the shown frames tell it.
   * @param {number} sent ms of the sender's clock
   * @param {number} about when it was, as far as is known
   * @returns {number} the time of the shown frame that it is; `about` where none is near
   */
  match(sent, about) {
    this.#sent.push(sent);
    if (this.#sent.length > MAX_SENT) this.#sent.shift();
    if (this.#shown.length < 2) return about;
    this.#updateShift(sent, about - CLOCK_BIAS_MS);
    const t = sent + this.#shift;
    const near = this.#nearest(t);
    return Math.abs(near - t) < this.interval / 2 ? near : t;
  }

  /** @param {number} sent @param {number} about */
  #updateShift(sent, about) {
    const from = this.#indexOf(about);
    const ways = this.#shown.slice(Math.max(0, from - 2), from + 2).map((t) => t - sent);
    const rate = (/** @type {number} */ shift) => {
      const met = this.#sent.filter((s) => Math.abs(this.#nearest(s + shift) - s - shift) < MATCH_MS).length / this.#sent.length;
      return met - Math.abs(sent + shift - about) / this.interval / 4;
    };
    // The present way is rated where it fits now: the clocks drift.
    const here = this.#nearest(sent + this.#shift);
    if (Math.abs(here - sent - this.#shift) < MATCH_MS) this.#shift += (here - sent - this.#shift) / 4;
    this.#score = Number.isNaN(this.#shift) ? -Infinity : rate(this.#shift);
    for (const way of ways) {
      const score = rate(way);
      if (score > this.#score + (Math.abs(way - this.#shift) < MATCH_MS ? 0 : SWITCH_MARGIN)) [this.#shift, this.#score] = [way, score];
    }
  }

  /** The shown frame nearest to a time. @param {number} t */
  #nearest(t) {
    const i = this.#indexOf(t);
    const [a, b] = [this.#shown[i - 1] ?? Infinity, this.#shown[i] ?? Infinity];
    return Math.abs(a - t) < Math.abs(b - t) ? a : b;
  }

  /** How many frames were captured before a time. @param {number} t */
  #indexOf(t) {
    let [low, high] = [0, this.#shown.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#shown[middle] < t) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
