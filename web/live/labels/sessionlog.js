// The log of the session: time per expression, changes, and rows to export. Pure; times are milliseconds.

const STEP_MS = 200; // between two rows of a face, as with `mindflow video --csv --rate 5`
const GAP_MS = 1000; // a longer absence does not count as time with a face
const MAX_ROWS = 50_000; // nearly three hours of one face

/**
 * @typedef {{t: number, frame: number, face: import('../../client/wire.js').Face}} Row t: milliseconds since the
 *   session began; frame: the message's seq
 */
/** @typedef {{label: string, ms: number, share: number}} Share share: 0..1 of the time in which a face was seen */
/** @typedef {{from: string, to: string, times: number}} Change */

export class SessionLog {
  #startedAt = NaN;
  /** @type {Row[]} oldest first */
  #rows = [];
  /** Number of rows that were dropped for newer ones. */
  dropped = 0;
  /**
   * @type {Map<number, {t: number, label: string, row: number}>} by face: when and as what it was last seen, and when
   *   it last got a row
   */
  #last = new Map();
  /** @type {Map<string, number>} milliseconds by label */
  #times = new Map();
  /** @type {Map<string, Change>} */
  #changes = new Map();

  get rows() {
    return this.#rows;
  }

  /** @param {import('../../client/wire.js').Labels} message @param {number} now */
  add(message, now) {
    if (Number.isNaN(this.#startedAt)) this.#startedAt = now;
    const t = now - this.#startedAt;
    for (const face of message.faces) {
      const last = this.#last.get(face.id);
      const near = last && t - last.t <= GAP_MS ? last : undefined;
      const label = face.uncertain ? '' : face.label;
      if (near) {
        this.#times.set(near.label, (this.#times.get(near.label) ?? 0) + t - near.t);
        if (label && near.label && label !== near.label) this.#change(near.label, label);
      }
      const due = !last || t - last.row >= STEP_MS;
      if (due) this.#rows.push({ t, frame: message.seq, face });
      // A short uncertainty between two labels is not counted as two changes.
      this.#last.set(face.id, { t, label: label || near?.label || '', row: due ? t : last.row });
    }
    this.#forget(t);
  }

  /** Total time with a face, ms; two faces at once count twice. */
  get duration() {
    return [...this.#times.values()].reduce((a, b) => a + b, 0);
  }

  /** Returns shares, the longest first; "" is the time before the first certain label. @returns {Share[]} */
  shares() {
    const all = this.duration;
    return [...this.#times].map(([label, ms]) => ({ label, ms, share: all > 0 ? ms / all : 0 }))
      .sort((a, b) => b.ms - a.ms);
  }

  /** Returns changes of the label, the most frequent first. @returns {Change[]} */
  changes() {
    return [...this.#changes.values()].sort((a, b) => b.times - a.times);
  }

  clear() {
    this.#startedAt = NaN;
    this.#rows = [];
    this.dropped = 0;
    for (const map of [this.#last, this.#times, this.#changes]) map.clear();
  }

  /** @param {string} from @param {string} to */
  #change(from, to) {
    const key = JSON.stringify([from, to]);
    const change = this.#changes.get(key) ?? { from, to, times: 0 };
    change.times++;
    this.#changes.set(key, change);
  }

  /** @param {number} t */
  #forget(t) {
    const over = this.#rows.length - MAX_ROWS;
    if (over > MAX_ROWS / 10) { // rarely, as it moves all remaining rows
      this.#rows.splice(0, over);
      this.dropped += over;
    }
    for (const [id, { t: seen }] of this.#last) if (t - seen > 60_000) this.#last.delete(id);
  }
}
