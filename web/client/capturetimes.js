// Estimates when the frames of a connection's labels were captured.

import { CaptureClock } from './clock.js';

const UPDATE_MS = 2000; // between two updates of the path's delay

export class CaptureTimes {
  #clock = new CaptureClock();
  #stats;
  #updatedAt = -Infinity;
  // smallest delay of a frame and its labels apart from the server's time, ms: encoding and one round trip
  #pathMs = Infinity;

  /** @param {() => Promise<import('./stats.js').ConnectionStats>} stats of the connection */
  constructor(stats) {
    this.#stats = stats;
  }

  /**
   * Observes a sender's frames, where possible. Call it in the task in which the sender was made.
   * @param {import('./sendtimes.js').SendTimes | undefined} sendTimes
   * @param {RTCRtpSender} sender
   * @param {AbortSignal} signal ends with the sender
   */
  observe(sendTimes, sender, signal) {
    sendTimes?.observe(sender, this.#clock, signal);
  }

  /**
   * Adds the capture time to a message, if it is known.
   * @param {import('./wire.js').Labels} message
   * @param {number} now ms
   */
  annotate(message, now) {
    // Frame and labels take one round trip together, even if the two ways differ.
    if (this.#pathMs < Infinity) this.#clock.addBound(message.rtp, now - message.ms.total - this.#pathMs, false);
    if (now - this.#updatedAt > UPDATE_MS) this.#updatePath(now).catch(() => {}); // the connection has ended
    message.captureTime = this.#clock.timeOf(message.rtp);
  }

  /** @param {number} now ms */
  async #updatePath(now) {
    this.#updatedAt = now;
    const { roundTrip, sent } = await this.#stats();
    // The smallest delay counts, so that no more is subtracted than it took.
    if (roundTrip !== undefined && sent) this.#pathMs = Math.min(this.#pathMs, 1000 * roundTrip + sent.encodeMs);
  }
}
