// Predicts where faces are now, from their boxes in labelled frames. Pure: times are passed in, in milliseconds.

const HISTORY_MS = 260; // of a face's past that determines its velocity
const MAX_HISTORY = 8; // observations at most
const FORGET_MS = 70; // time constant of the observations' weights
const MAX_AHEAD_MS = 250; // a face is extrapolated no further
const DECAY_MS = 400; // time constant with which the velocity decays, as heads slow down
const NOISE_SPEED = 0.15; // box sides per second: slower motion is noise of the detector
const EASE_MS = 25; // time constant with which the drawn box returns to the predicted one
const EASE_STILL_MS = 160; // the same for a face at rest
const JUMP = 0.5; // box sides: a larger error starts a new motion

/** @typedef {[x: number, y: number, w: number, h: number]} Box */
/** @typedef {{t: number, box: Box}} Observation */

/** The motion of one face. */
class FaceMotion {
  /** @type {Observation[]} oldest first */
  #history = [];
  /** @type {Box} per second */
  #velocity = [0, 0, 0, 0];
  /** @type {Box} drawn box minus predicted box at #easedAt */
  #offset = [0, 0, 0, 0];
  #easedAt = 0;
  #ease = EASE_MS;

  /**
   * @param {number} t capture time of the frame
   * @param {Box} box in it
   * @param {number} shown the time that the box was last drawn for
   */
  update(t, box, shown) {
    const last = this.#history.at(-1);
    if (last && t <= last.t) return;
    const leaps = !last || this.#extrapolate(t).some((v, i) => Math.abs(v - box[i]) > JUMP * box[2 + (i % 2)]);
    const drawn = leaps ? undefined : this.drawnAt(shown);
    this.#history = leaps ? [] : this.#history.filter((s) => s.t > t - HISTORY_MS).slice(1 - MAX_HISTORY);
    this.#history.push({ t, box });
    this.#velocity = velocity(this.#history);
    const [vx, vy] = [Math.abs(this.#velocity[0]) / box[2], Math.abs(this.#velocity[1]) / box[3]];
    this.#ease = Math.max(vx, vy) < 2 * NOISE_SPEED ? EASE_STILL_MS : EASE_MS;
    this.#easedAt = shown;
    const next = this.#extrapolate(shown);
    this.#offset = drawn ? /** @type {Box} */ (drawn.map((v, i) => v - next[i])) : [0, 0, 0, 0];
  }

  /** Returns the box to draw. @param {number} t @returns {Box} */
  drawnAt(t) {
    const left = Math.exp(-Math.max(0, t - this.#easedAt) / this.#ease);
    return /** @type {Box} */ (this.#extrapolate(t).map((v, i) => v + left * this.#offset[i]));
  }

  /** Returns the predicted box. @param {number} t @returns {Box} */
  #extrapolate(t) {
    const { t: last, box } = this.#history[this.#history.length - 1];
    const ahead = Math.min(MAX_AHEAD_MS, Math.max(0, t - last));
    const seconds = (DECAY_MS * (1 - Math.exp(-ahead / DECAY_MS))) / 1000;
    const [w, h] = [Math.max(0, box[2] + seconds * this.#velocity[2]),
      Math.max(0, box[3] + seconds * this.#velocity[3])];
    const [cx, cy] = [box[0] + box[2] / 2 + seconds * this.#velocity[0], box[1] + box[3] / 2
      + seconds * this.#velocity[1]];
    return [cx - w / 2, cy - h / 2, w, h];
  }
}

/**
 * Returns the velocity of centre and size by weighted linear regression, damped towards zero near the noise.
 * @param {readonly Observation[]} seen oldest first
 * @returns {Box} per second
 */
function velocity(seen) {
  const n = seen.length;
  if (n < 2) return [0, 0, 0, 0];
  const weights = seen.map((s) => Math.exp((s.t - seen[n - 1].t) / FORGET_MS));
  const sum = (/** @type {(s: Observation) => number} */ of) =>
    seen.reduce((total, s, i) => total + weights[i] * of(s), 0);
  const mean = sum((s) => s.t) / sum(() => 1);
  const spread = sum((s) => (s.t - mean) ** 2);
  const slope = (/** @type {(box: Box) => number} */ of) => (1000 * sum((s) => (s.t - mean) * of(s.box))) / spread;
  const [w, h] = [seen[n - 1].box[2], seen[n - 1].box[3]];
  const speed = [slope((b) => b[0] + b[2] / 2), slope((b) => b[1] + b[3] / 2), slope((b) => b[2]), slope((b) => b[3])];
  return /** @type {Box} */ (speed.map((v, i) => {
    const own = (v / (i % 2 ? h : w) / NOISE_SPEED) ** 2;
    return v * (own / (1 + own));
  }));
}

/** Predicts all faces of the newest labels. */
export class MotionPredictor {
  /** @type {Map<number, FaceMotion>} by face id */
  #faces = new Map();
  #shown = -Infinity;

  /** @param {readonly import('../../client/wire.js').Face[]} faces @param {number} t capture time of their frame */
  update(faces, t) {
    const before = this.#faces;
    this.#faces = new Map(faces.map((face) => [face.id, before.get(face.id) ?? new FaceMotion()]));
    for (const face of faces) this.#faces.get(face.id)?.update(t, face.box, Math.max(this.#shown, t));
  }

  /**
   * Returns the faces with predicted boxes.
   * @param {readonly import('../../client/wire.js').Face[]} faces
   * @param {number} t
   */
  predict(faces, t) {
    this.#shown = t;
    return faces.map((face) => moveFace(face, this.#faces.get(face.id)?.drawnAt(t)));
  }
}

/**
 * Returns a face with another box, and with its attention map moved along.
 * @param {import('../../client/wire.js').Face} face
 * @param {Box} [to]
 * @returns {import('../../client/wire.js').Face}
 */
export function moveFace(face, to) {
  if (!to) return face;
  if (!face.attention) return { ...face, box: to };
  const [dx, dy] = [0, 1].map((i) => to[i] + to[i + 2] / 2 - face.box[i] - face.box[i + 2] / 2);
  const [x, y, w, h] = face.attention.region;
  return { ...face, box: to, attention: { ...face.attention, region: [x + dx, y + dy, w, h] } };
}
