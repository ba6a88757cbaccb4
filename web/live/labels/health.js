// How the session does: rate, delay and drops, from the messages themselves.

const WINDOW_MS = 3000;

/**
 * @typedef {object} Report
 * @property {number} rate messages a second
 * @property {number | undefined} latency milliseconds from a picture's leaving to its labels' arrival:
 *   the server's time for it plus one round trip (half of it there, half of it back); without camera,
 *   encoding and drawing
 * @property {number} dropped frames that the server did not analyse, since the session began; those of a
 *   pause are not counted
 * @property {Record<string, number>} reasons of the drops
 */

export class Health {
  /** @type {{t: number, total: number}[]} */
  #recent = [];
  #began = NaN;
  /** @type {Record<string, number>} */
  #dropped = {};

  /** Seconds there and back, from ICE; undefined while it is not known. @type {number | undefined} */
  roundTrip;

  /**
   * @param {import('../../client/wire.js').Labels} message
   * @param {number} now milliseconds
   */
  add(message, now) {
    if (this.#recent.length === 0) this.#began = now;
    this.#recent.push({ t: now, total: message.ms.total });
    this.#dropped = message.dropped;
    this.#forget(now);
  }

  /** @param {number} now milliseconds @returns {Report} */
  report(now) {
    this.#forget(now);
    const n = this.#recent.length;
    // Until the window is full it is measured from the first message, over the intervals.
    const span = Math.min(WINDOW_MS, now - this.#began);
    const rate = n > 1 && span > 0 ? ((n - (span < WINDOW_MS ? 1 : 0)) * 1000) / span : 0;
    const server = this.#recent.reduce((sum, m) => sum + m.total, 0) / n;
    const known = n > 0 && this.roundTrip !== undefined;
    return {
      rate,
      latency: known ? server + 1000 * (this.roundTrip ?? 0) : undefined,
      dropped: Object.entries(this.#dropped).reduce((sum, [why, n]) => sum + (why === 'paused' ? 0 : n), 0),
      reasons: this.#dropped,
    };
  }

  /** @param {number} now */
  #forget(now) {
    const keep = this.#recent.findIndex((m) => m.t > now - WINDOW_MS);
    this.#recent.splice(0, keep < 0 ? this.#recent.length : keep);
  }
}
