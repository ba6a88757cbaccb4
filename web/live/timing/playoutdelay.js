// The delay from capture to display after which a picture's labels are there. Pure: times are passed in, in
// milliseconds.

const WINDOW_MS = 5000;
const QUANTILE = 0.97; // of the labels arrive in time
const MARGIN_MS = 8;
const MAX_MS = 1000;
const GROW_RATE = 0.25; // per elapsed millisecond: the picture then moves a quarter slower
const SHRINK_RATE = 0.06;

export class PlayoutDelay {
  /** @type {{at: number, needed: number}[]} */
  #recent = [];
  #ms = NaN;
  #at = 0;

  /** Adds a measured delay. @param {number} needed @param {number} now */
  add(needed, now) {
    this.#recent = this.#recent.filter((r) => r.at > now - WINDOW_MS);
    this.#recent.push({ at: now, needed });
  }

  /** @param {number} now @returns {number} ms, 0..1000; NaN before the first labels */
  at(now) {
    const passed = now - this.#at;
    this.#at = now;
    if (this.#recent.length === 0) return this.#ms;
    const sorted = this.#recent.map((r) => r.needed).sort((a, b) => a - b);
    const want = Math.min(MAX_MS, Math.max(0, sorted[Math.floor(QUANTILE * (sorted.length - 1))] + MARGIN_MS));
    if (Number.isNaN(this.#ms)) this.#ms = want;
    else this.#ms = Math.min(this.#ms + GROW_RATE * passed, Math.max(this.#ms - SHRINK_RATE * passed, want));
    return this.#ms;
  }
}
