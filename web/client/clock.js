// Maps RTP timestamps to capture times. A timestamp counts 90 ticks a millisecond from a random offset.
//
// Browsers do not expose the offset, but it has bounds: a frame was captured before it was encoded, and before its
// labels arrived. Delays vary and only ever add, so the smallest one in a window is near the truth (as in NTP's clock
// filter, RFC 5905 §10).

const TICKS = 90; // per millisecond
const WINDOW_MS = 6000; // the two clocks drift apart by less than a millisecond in this time
const RESTART_MS = 10_000; // no frame takes this long: the sender's clock restarted

/** Unwraps the sender's 32-bit timestamps. */
export class SenderClock {
  #ticks = NaN; // unwrapped, of the newest timestamp

  /** @param {number} rtp a frame's timestamp @returns {number} ms */
  ms(rtp) {
    const newest = Number.isNaN(this.#ticks) ? rtp : this.#ticks;
    const step = (rtp - newest) | 0; // the signed 32-bit difference
    this.#ticks = Math.max(newest, newest + step);
    return (newest + step) / TICKS;
  }
}

export class CaptureClock {
  #sender = new SenderClock();
  /** @type {{at: number, start: number, observed: boolean}[]} start: upper bound of the time of tick 0, ms */
  #bounds = [];

  /**
   * Adds an upper bound for the capture time of a frame.
   * @param {number} rtp its timestamp
   * @param {number} at ms of performance.now(); the frame was captured before
   * @param {boolean} observed the frame was observed when it was encoded; other bounds count only if there are no such
   *   ones
   */
  addBound(rtp, at, observed) {
    const start = at - this.#sender.ms(rtp);
    if (Math.abs(start - this.#start) > RESTART_MS) this.#bounds = [];
    if (!observed && this.#bounds.some((b) => b.observed)) return;
    // Each bound is newer and larger than the one before it: the first one is the smallest.
    this.#bounds = this.#bounds.filter((b) => b.at > at - WINDOW_MS && b.start < start && (b.observed || !observed));
    this.#bounds.push({ at, start, observed });
  }

  /** @param {number} rtp @returns {number | undefined} ms of performance.now(); undefined until a bound is known */
  timeOf(rtp) {
    return this.#bounds.length > 0 ? this.#start + this.#sender.ms(rtp) : undefined;
  }

  get #start() {
    return this.#bounds[0]?.start ?? NaN;
  }
}
