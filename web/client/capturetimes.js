// When the frames of a connection's labels were captured.

import { CaptureClock } from './clock.js';

const UPDATE_MS = 2000; // between two looks at what the browser measures

export class CaptureTimes {
  #clock = new CaptureClock();
  #stats;
  #updatedAt = -Infinity;
  #pathMs = Infinity; // ms that a frame and its labels take beside the server's time, at the least: encoding, there and back

  /** @param {() => Promise<import('./stats.js').ConnectionStats>} measures of the connection */
  constructor(measures) {
    this.#stats = measures;
  }

  /**
   * Looks at what a sender sends, where the page may: to be called in the task in which the sender was made.
   * @param {import('./sendtimes.js').SendTimes | undefined} stamps
   * @param {RTCRtpSender} sender
   * @param {AbortSignal} signal the sender's end
   */
  observe(stamps, sender, signal) {
    stamps?.observe(sender, this.#clock, signal);
  }

  /** Writes into a message when its frame was captured, where that is known. @param {import('./wire.js').Labels} message @param {number} now ms */
  annotate(message, now) {
    // The way there and the way back are a round trip, however unlike they are.
    if (this.#pathMs < Infinity) this.#clock.addBound(message.rtp, now - message.ms.total - this.#pathMs, false);
    if (now - this.#updatedAt > UPDATE_MS) this.#updatePath(now).catch(() => {}); // the connection has ended
    message.captureTime = this.#clock.timeOf(message.rtp);
  }

  /** @param {number} now ms */
  async #updatePath(now) {
    this.#updatedAt = now;
    const { roundTrip, sent } = await this.#stats();
    // The least counts: what is taken off should not be more than it took.
    if (roundTrip !== undefined && sent) this.#pathMs = Math.min(this.#pathMs, 1000 * roundTrip + sent.encodeMs);
  }
}
