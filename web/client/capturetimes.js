// When the frames of a connection's labels were captured.

import { CaptureClock } from './clock.js';

const ASK_MS = 2000; // between two looks at what the browser measures

export class Timing {
  #clock = new CaptureClock();
  #measures;
  #askedAt = -Infinity;
  #way = Infinity; // ms that a frame and its labels take beside the server's time, at the least: encoding, there and back

  /** @param {() => Promise<import('./stats.js').Measures>} measures of the connection */
  constructor(measures) {
    this.#measures = measures;
  }

  /**
   * Looks at what a sender sends, where the page may: to be called in the task in which the sender was made.
   * @param {import('./sendtimes.js').Stamps | undefined} stamps
   * @param {RTCRtpSender} sender
   * @param {AbortSignal} signal the sender's end
   */
  watch(stamps, sender, signal) {
    stamps?.watch(sender, this.#clock, signal);
  }

  /** Writes into a message when its frame was captured, where that is known. @param {import('./wire.js').Labels} message @param {number} now ms */
  stamp(message, now) {
    // The way there and the way back are a round trip, however unlike they are.
    if (this.#way < Infinity) this.#clock.bound(message.rtp, now - message.ms.total - this.#way, false);
    if (now - this.#askedAt > ASK_MS) this.#ask(now).catch(() => {}); // the connection has ended
    message.captureTime = this.#clock.timeOf(message.rtp);
  }

  /** @param {number} now ms */
  async #ask(now) {
    this.#askedAt = now;
    const { roundTrip, sent } = await this.#measures();
    // The least counts: what is taken off should not be more than it took.
    if (roundTrip !== undefined && sent) this.#way = Math.min(this.#way, 1000 * roundTrip + sent.encodeMs);
  }
}
