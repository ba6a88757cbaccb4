// Detects that a stream of messages has stopped. The timeout follows from the usual interval between messages.

const MIN_MS = 300;
const MAX_MS = 2000;
const INTERVALS = 6; // a busy server skips a few messages
const WEIGHT = 0.1; // of the newest interval in the moving average

export class StallDetector {
  /** @type {number | undefined} */
  #last;
  #interval = MIN_MS / INTERVALS;

  /** @param {number} now ms */
  receive(now) {
    // The server may have become slower, so a gap counts, but at most the timeout: it may have been the network's.
    if (this.#last !== undefined) {
      this.#interval += WEIGHT * (Math.min(now - this.#last, this.timeout) - this.#interval);
    }
    this.#last = now;
  }

  /** Returns the time until the timeout, ms; 0 or less after it. @param {number} now ms */
  remaining(now) {
    return (this.#last ?? now) + this.timeout - now;
  }

  /** The longest normal gap between two messages, ms. */
  get timeout() {
    return Math.min(Math.max(INTERVALS * this.#interval, MIN_MS), MAX_MS);
  }
}
