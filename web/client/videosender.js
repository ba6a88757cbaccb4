// Controls how the picture is sent: whether at all, at which size and frame rate.
//
// Limits are set on the encoder, not on the camera (applyConstraints): the visitor's own view keeps its size and
// rate, and cameras that change their size stop for a moment, crop the picture or refuse.

/** @typedef {Pick<RTCRtpSender, 'track' | 'replaceTrack' | 'getParameters' | 'setParameters'>} Sender */

export class VideoSender {
  #sender;
  /** @type {import('./wire.js').Hint | undefined} the server's newest hint */
  #hint;
  #limited = false; // whether limits were ever set
  #deviceFramerate = Infinity; // frames per second, the limit of this device
  /** Runs changes in order: two read-modify-write cycles must not overlap. */
  #queue = Promise.resolve();

  /** @param {Sender} sender */
  constructor(sender) {
    this.#sender = sender;
  }

  /** Starts or stops sending. @param {boolean} active */
  setActive(active) {
    return this.#enqueue(() => this.#editEncodings((encoding) => { encoding.active = active; }));
  }

  /** Limits size and frame rate to what the server can use. @param {import('./wire.js').Hint} hint */
  applyHint(hint) {
    return this.#enqueue(async () => {
      this.#hint = hint;
      await this.#applyLimits();
    });
  }

  /** Limits the frame rate to what this device can spare. @param {number} most frames per second */
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
    // The limit applies to the longer side, so that turning a phone changes nothing. A track of unknown size is sent
    // whole.
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

  /**
   * @param {() => Promise<void>} action
   * @returns {Promise<void>} settles with the action; a failure does not stop later ones
   */
  #enqueue(action) {
    const acted = this.#queue.then(action);
    this.#queue = acted.catch(() => {});
    return acted;
  }
}
