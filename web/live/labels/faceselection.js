// Selects the face that the panel describes: the picked one, else the largest.

const PATIENCE_MS = 1000; // the server remembers a face that is out of sight for as long
// factor by which another face must be larger to take over, so that two similar ones do not alternate
const LARGER = 1.25;

export class FaceSelection {
  /** @type {number | undefined} */
  #id;
  #chosen = false;
  #seen = 0;

  /** The selected face's id; undefined if there is none. */
  get id() {
    return this.#id;
  }

  /** Selects a face for as long as it is in view. @param {number} id @param {number} now ms */
  select(id, now) {
    this.#id = id;
    this.#chosen = true;
    this.#seen = now;
  }

  /**
   * Updates the selection with the faces of a new message.
   * @param {import('../../client/wire.js').Face[]} faces
   * @param {number} now milliseconds
   * @returns {import('../../client/wire.js').Face | undefined} the selected face, if it is in this message
   */
  update(faces, now) {
    const own = faces.find((f) => f.id === this.#id);
    if (own) this.#seen = now;
    const lost = now - this.#seen > PATIENCE_MS;
    if (this.#chosen && !lost) return own;
    this.#chosen = false;
    const largest = faces.reduce((/** @type {typeof own} */ a, b) => (a && size(a) >= size(b) ? a : b), undefined);
    if (own && largest && size(largest) < LARGER * size(own)) return own;
    if (!largest) {
      if (lost) this.#id = undefined;
      return undefined;
    }
    this.#id = largest.id;
    this.#seen = now;
    return largest;
  }

  reset() {
    this.#id = undefined;
    this.#chosen = false;
  }
}

/** @param {import('../../client/wire.js').Face} face */
function size({ box }) {
  return box[2] * box[3];
}
