// Finds the displayed frame that labels belong to. Pure: times are passed in, in milliseconds.
//
// The sender's clock and the clock of displayed frames run at the same rate, but their offset is known only to a few
// milliseconds (clock.js), and frames may be as close to each other. The pattern of capture times decides: only the
// right offset maps all sent frames to displayed ones. If the frames are so regular that every offset fits, the nearest
// one wins.

const SPAN_MS = 3000; // of displayed frames that are remembered
const MAX_SENT = 40; // sent frames that are compared with displayed ones
const MATCH_MS = 2.5; // timestamps have a resolution of 1 ms
const CLOCK_BIAS_MS = 4; // capture times of clock.js are about this late
const SWITCH_MARGIN = 0.1; // a new offset must fit this much better, so that two similar ones do not alternate

export class FrameMatcher {
  /** @type {number[]} capture times of displayed frames, oldest first */
  #shown = [];
  /** @type {number[]} sender's times of frames that have labels, oldest first */
  #sent = [];
  #shift = NaN; // offset from the sender's time to that of displayed frames
  #score = 0;

  /** Forgets the offset: the sender's clock restarted. */
  restart() {
    this.#sent = [];
    this.#shift = NaN;
  }

  /** Adds a displayed frame. @param {number} t its capture time */
  addShown(t) {
    const last = this.#shown.at(-1) ?? -Infinity;
    if (t <= last) {
      if (last - t > SPAN_MS) this.#shown = [];
      else return;
    }
    this.#shown.push(t);
    while (this.#shown[0] < t - SPAN_MS) this.#shown.shift();
  }

  /** The average frame interval; NaN before the second frame. */
  get interval() {
    const n = Math.min(this.#shown.length, 12);
    return n > 1 ? ((this.#shown.at(-1) ?? 0) - this.#shown[this.#shown.length - n]) / (n - 1) : NaN;
  }

  /** The capture time of the newest displayed frame; NaN if there is none. */
  get newest() {
    return this.#shown.at(-1) ?? NaN;
  }

  /** Returns the capture time of the first frame after `t`. @param {number} t @returns {number | undefined} */
  after(t) {
    return this.#shown.find((s) => s > t + MATCH_MS);
  }

  /**
   * Matches a frame with the displayed ones.
   * @param {number} sent ms of the sender's clock
   * @param {number} about its approximate capture time
   * @returns {number} the capture time of the displayed frame; `about` if none is near
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
      const met = this.#sent
        .filter((s) => Math.abs(this.#nearest(s + shift) - s - shift) < MATCH_MS).length / this.#sent.length;
      return met - Math.abs(sent + shift - about) / this.interval / 4;
    };
    // The present offset is rated after it has followed the drift of the clocks.
    const here = this.#nearest(sent + this.#shift);
    if (Math.abs(here - sent - this.#shift) < MATCH_MS) this.#shift += (here - sent - this.#shift) / 4;
    this.#score = Number.isNaN(this.#shift) ? -Infinity : rate(this.#shift);
    for (const way of ways) {
      const score = rate(way);
      if (score > this.#score + (Math.abs(way - this.#shift) < MATCH_MS ? 0 : SWITCH_MARGIN)) {
        [this.#shift, this.#score] = [way, score];
      }
    }
  }

  /** Returns the displayed frame nearest to a time. @param {number} t */
  #nearest(t) {
    const i = this.#indexOf(t);
    const [a, b] = [this.#shown[i - 1] ?? Infinity, this.#shown[i] ?? Infinity];
    return Math.abs(a - t) < Math.abs(b - t) ? a : b;
  }

  /** Returns how many displayed frames were captured before a time. @param {number} t */
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
