// When a frame was captured, from its RTP timestamp: 90 ticks a millisecond from a start that the browser draws by lot.
//
// Browsers do not tell that start to the page, but it can be bounded: a frame was captured before it was seen encoded, and before its
// labels came. Delays vary and only ever add, so the least of them in a while is near the truth (as in NTP's clock filter, RFC 5905 §10).

const TICKS = 90; // a millisecond
const WINDOW_MS = 6000; // the two clocks drift apart by less than a millisecond in that
const RESTART_MS = 10_000; // no frame is under way for so long: the sender's clock began anew

/** The sender's clock, which counts on where timestamps begin anew after 2³² ticks. */
export class SenderClock {
  #ticks = NaN; // of the newest timestamp

  /** @param {number} rtp a frame's timestamp @returns {number} ms */
  ms(rtp) {
    const newest = Number.isNaN(this.#ticks) ? rtp : this.#ticks;
    const step = (rtp - newest) | 0; // its 32 bits, with their sign
    this.#ticks = Math.max(newest, newest + step);
    return (newest + step) / TICKS;
  }
}

export class CaptureClock {
  #sender = new SenderClock();
  /** @type {{at: number, start: number, sharp: boolean}[]} start: ms when tick 0 was, at the latest */
  #bounds = [];

  /**
   * A frame was there.
   * @param {number} rtp its timestamp
   * @param {number} at ms, of performance.now(), when it had been captured
   * @param {boolean} sharp it was seen encoded; other bounds only count where there are none of these
   */
  addBound(rtp, at, sharp) {
    const start = at - this.#sender.ms(rtp);
    if (Math.abs(start - this.#start) > RESTART_MS) this.#bounds = [];
    if (!sharp && this.#bounds.some((b) => b.sharp)) return;
    // Of those that are kept each is newer and larger than the one before: the first is the least.
    this.#bounds = this.#bounds.filter((b) => b.at > at - WINDOW_MS && b.start < start && (b.sharp || !sharp));
    this.#bounds.push({ at, start, sharp });
  }

  /** @param {number} rtp @returns {number | undefined} ms, of performance.now(); undefined until something is known */
  timeOf(rtp) {
    return this.#bounds.length > 0 ? this.#start + this.#sender.ms(rtp) : undefined;
  }

  get #start() {
    return this.#bounds[0]?.start ?? NaN;
  }
}
