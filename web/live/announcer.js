// Decides what screen readers announce: a label that has stayed for a while, and not too often. Pure; times are
// milliseconds.

const STAYS_MS = 1500;
const EVERY_MS = 4000;

export class Announcer {
  #candidate = '';
  #since = -Infinity;
  #announced = '';
  #announcedAt = -Infinity;

  /**
   * @param {string} text the current label; empty for none
   * @param {number} now
   * @returns {string | undefined} what to announce now
   */
  next(text, now) {
    if (text !== this.#candidate) {
      this.#candidate = text;
      this.#since = now;
    }
    const due = now - this.#since >= STAYS_MS && now - this.#announcedAt >= EVERY_MS;
    if (text === '' || text === this.#announced || !due) return undefined;
    this.#announced = text;
    this.#announcedAt = now;
    return text;
  }

  reset() {
    this.#candidate = this.#announced = '';
    this.#since = this.#announcedAt = -Infinity;
  }
}
