// How the picture is sent: whether at all, and how much of it.
//
// Limits are the encoder's, not the camera's (applyConstraints): the visitor's own view keeps its size and its
// rate, and cameras that are asked for another size stop for a moment, crop the picture or refuse.

/** @typedef {Pick<RTCRtpSender, 'track' | 'replaceTrack' | 'getParameters' | 'setParameters'>} Sender */

export class VideoSender {
  #sender;
  /** @type {import('./wire.js').Hint | undefined} the server's newest */
  #hint;
  #limited = false; // whether it ever was
  #deviceFramerate = Infinity; // pictures a second that this device can spare
  /** Changes in the order they were asked for: one that is read before the one before is written undoes it. */
  #queue = Promise.resolve();

  /** @param {Sender} sender */
  constructor(sender) {
    this.#sender = sender;
  }

  /** Stops or resumes. @param {boolean} active */
  setActive(active) {
    return this.#enqueue(() => this.#editEncodings((encoding) => { encoding.active = active; }));
  }

  /** Sends no more than the server can make use of. @param {import('./wire.js').Hint} hint */
  applyHint(hint) {
    return this.#enqueue(async () => {
      this.#hint = hint;
      await this.#applyLimits();
    });
  }

  /** Sends no more than this device can spare. @param {number} most pictures a second */
  limitFramerate(most) {
    return this.#enqueue(async () => {
      this.#deviceFramerate = most;
      await this.#applyLimits();
    });
  }

  /** @param {MediaStreamTrack} track */
  replaceTrack(track) {
    return this.#enqueue(async () => {
      await this.#sender.replaceTrack(track);
      await this.#applyLimits();
    });
  }

  async #applyLimits() {
    if (!this.#hint && this.#deviceFramerate === Infinity && !this.#limited) return;
    this.#limited = true;
    const { max_side = Infinity, max_framerate = Infinity } = this.#hint ?? {};
    const most = Math.min(max_framerate, this.#deviceFramerate);
    // Of the longer side, which is the same however a phone is held. A track that does not tell its size is sent whole.
    const { width = 0, height = 0 } = this.#sender.track?.getSettings() ?? {};
    const scale = Math.max(1, Math.max(width, height) / max_side);
    await this.#editEncodings((encoding) => {
      encoding.scaleResolutionDownBy = scale;
      if (most === Infinity) delete encoding.maxFramerate;
      else encoding.maxFramerate = most;
    });
  }

  /** @param {(encoding: RTCRtpEncodingParameters) => void} edit */
  async #editEncodings(edit) {
    const parameters = this.#sender.getParameters();
    parameters.encodings.forEach(edit);
    await this.#sender.setParameters(parameters);
  }

  /** @param {() => Promise<void>} act @returns {Promise<void>} its end; that it failed does not stop what comes after */
  #enqueue(act) {
    const acted = this.#queue.then(act);
    this.#queue = acted.catch(() => {});
    return acted;
  }
}
