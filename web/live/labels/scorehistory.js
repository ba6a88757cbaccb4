// The last minute of all faces' scores, for the timeline.

export const SPAN_MS = 60_000;
const STEP_MS = 90; // about a pixel of the timeline
const MAX_FACES = 32;

/** @typedef {{t: number, scores: number[]}} Sample t in milliseconds */

export class ScoreHistory {
  /**
   * @type {Map<number, Sample[]>} by face id, oldest sample first; the face without a sample for longest comes first
   */
  #faces = new Map();

  /**
   * @param {number} id of the face
   * @param {number} t milliseconds, never decreasing
   * @param {number[]} scores
   */
  add(id, t, scores) {
    const samples = this.#faces.get(id) ?? [];
    const last = samples.at(-1);
    if (last && t - last.t < STEP_MS) return;
    samples.push({ t, scores });
    this.#faces.delete(id);
    this.#faces.set(id, samples);
    this.#forget(t);
  }

  /** @param {number | undefined} id @returns {readonly Sample[]} oldest first */
  of(id) {
    return (id === undefined ? undefined : this.#faces.get(id)) ?? [];
  }

  clear() {
    this.#faces.clear();
  }

  get faces() {
    return this.#faces.size;
  }

  /** @param {number} now */
  #forget(now) {
    for (const [id, samples] of this.#faces) {
      // One sample before the window stays, so that the drawing reaches the edge.
      const keep = samples.findIndex((s) => s.t > now - SPAN_MS);
      if (keep > 1) samples.splice(0, keep - 1);
      if (keep < 0) this.#faces.delete(id);
    }
    for (const id of this.#faces.keys()) {
      if (this.#faces.size <= MAX_FACES) break;
      this.#faces.delete(id);
    }
  }
}

/**
 * Splits samples at pauses: a face that was away leaves a gap.
 * @param {readonly Sample[]} samples
 * @param {number} pause milliseconds
 * @returns {Sample[][]}
 */
export function runs(samples, pause) {
  /** @type {Sample[][]} */
  const found = [];
  for (const sample of samples) {
    const run = found.at(-1);
    const last = run?.at(-1);
    if (run && last && sample.t - last.t <= pause) run.push(sample);
    else found.push([sample]);
  }
  return found;
}
