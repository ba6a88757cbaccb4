// The health of the session: rate, latency and drops, computed from its messages.

const WINDOW_MS = 3000;

/**
 * @typedef {object} HealthReport
 * @property {number} rate messages per second
 * @property {number | undefined} latency milliseconds from sending a picture to its labels' arrival:
 *   the server's time plus one round trip; without camera, encoding and
 *   drawing
 * @property {number} dropped frames that the server did not analyse since the session began; those of a
 *   pause do not count
 * @property {Record<string, number>} reasons number of dropped frames by reason
 */

export class Health {
  /** @type {{t: number, total: number}[]} */
  #recent = [];
  #began = NaN;
  /** @type {Record<string, number>} */
  #dropped = {};

  /** Round-trip time in seconds, from ICE; undefined until known. @type {number | undefined} */
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

  /** @param {number} now milliseconds @returns {HealthReport} */
  report(now) {
    this.#forget(now);
    const n = this.#recent.length;
    // Until the window is full, the rate counts intervals from the first message.
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
