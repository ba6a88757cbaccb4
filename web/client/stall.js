// When labels that keep coming have stopped. How long to wait for them follows from how often they came.

const MIN_MS = 300;
const MAX_MS = 2000;
const INTERVALS = 6; // a busy server leaves a few out
const WEIGHT = 0.1; // of the newest interval in the mean

export class StallDetector {
  /** @type {number | undefined} */
  #last;
  #interval = MIN_MS / INTERVALS;

  /** @param {number} now ms */
  receive(now) {
    // A silence counts, as the server may have become slower, but not all of it, as it may have been the line's.
    if (this.#last !== undefined) this.#interval += WEIGHT * (Math.min(now - this.#last, this.timeout) - this.#interval);
    this.#last = now;
  }

  /** @param {number} now ms @returns {number} until it is too long since the last, ms; 0 or less when it is */
  remaining(now) {
    return (this.#last ?? now) + this.timeout - now;
  }

  /** How long there may be none, ms. */
  get timeout() {
    return Math.min(Math.max(INTERVALS * this.#interval, MIN_MS), MAX_MS);
  }
}
