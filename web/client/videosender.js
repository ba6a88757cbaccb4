// How the picture is sent: whether at all, and how much of it.
//
// Limits are the encoder's, not the camera's (applyConstraints): the visitor's own view keeps its size and its
// rate, and cameras that are asked for another size stop for a moment, crop the picture or refuse.

/** @typedef {Pick<RTCRtpSender, 'track' | 'replaceTrack' | 'getParameters' | 'setParameters'>} Sender */

export class Sending {
  #sender;
  /** @type {import('./wire.js').Hint | undefined} the server's newest */
  #hint;
  #limited = false; // whether it ever was
  #most = Infinity; // pictures a second that this device can spare
  /** Changes in the order they were asked for: one that is read before the one before is written undoes it. */
  #turns = Promise.resolve();

  /** @param {Sender} sender */
  constructor(sender) {
    this.#sender = sender;
  }

  /** Stops or resumes. @param {boolean} active */
  setActive(active) {
    return this.#inTurn(() => this.#change((encoding) => { encoding.active = active; }));
  }

  /** Sends no more than the server can make use of. @param {import('./wire.js').Hint} hint */
  obey(hint) {
    return this.#inTurn(async () => {
      this.#hint = hint;
      await this.#limit();
    });
  }

  /** Sends no more than this device can spare. @param {number} most pictures a second */
  spare(most) {
    return this.#inTurn(async () => {
      this.#most = most;
      await this.#limit();
    });
  }

  /** @param {MediaStreamTrack} track */
  replaceTrack(track) {
    return this.#inTurn(async () => {
      await this.#sender.replaceTrack(track);
      await this.#limit();
    });
  }

  async #limit() {
    if (!this.#hint && this.#most === Infinity && !this.#limited) return;
    this.#limited = true;
    const { max_side = Infinity, max_framerate = Infinity } = this.#hint ?? {};
    const most = Math.min(max_framerate, this.#most);
    // Of the longer side, which is the same however a phone is held. A track that does not tell its size is sent whole.
    const { width = 0, height = 0 } = this.#sender.track?.getSettings() ?? {};
    const scale = Math.max(1, Math.max(width, height) / max_side);
    await this.#change((encoding) => {
      encoding.scaleResolutionDownBy = scale;
      if (most === Infinity) delete encoding.maxFramerate;
      else encoding.maxFramerate = most;
    });
  }

  /** @param {(encoding: RTCRtpEncodingParameters) => void} edit */
  async #change(edit) {
    const parameters = this.#sender.getParameters();
    parameters.encodings.forEach(edit);
    await this.#sender.setParameters(parameters);
  }

  /** @param {() => Promise<void>} act @returns {Promise<void>} its end; that it failed does not stop what comes after */
  #inTurn(act) {
    const acted = this.#turns.then(act);
    this.#turns = acted.catch(() => {});
    return acted;
  }
}
