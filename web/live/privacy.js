// The privacy panel: what is sent and where to, as measured, and the camera's background blur.

export class Privacy {
  #language;
  #sent;
  #blur;
  #box;
  /** @type {MediaStreamTrack | undefined} */
  #track;
  /** @type {{at: number, bytes: number, frames: number} | undefined} */
  #last;

  /**
   * @param {ParentNode} scope that holds the panel of template.js
   * @param {string} host
   * @param {import('../words/language.js').Language} language
   * @param {AbortSignal} signal ends the listeners
   */
  constructor(scope, host, language, signal) {
    this.#language = language;
    this.#sent = /** @type {HTMLElement} */ (scope.querySelector('.sent'));
    this.#blur = /** @type {HTMLElement} */ (scope.querySelector('.blur'));
    const box = (this.#box = /** @type {HTMLInputElement} */ (scope.querySelector('.blur input')));
    /** @type {HTMLElement} */ (scope.querySelector('.to')).textContent = host;
    box.addEventListener('change', () => void this.#blurCamera(box.checked), { signal });
  }

  /** @param {MediaStreamTrack | undefined} track of the camera */
  use(track) {
    this.#track = track;
    const can = /** @type {{backgroundBlur?: boolean[]} | undefined} */ (track?.getCapabilities?.())?.backgroundBlur
      ?? [];
    this.#blur.hidden = can.length < 2; // some cameras only report the system's setting
    this.#box.checked = /** @type {{backgroundBlur?: boolean} | undefined} */ (
      track?.getSettings())?.backgroundBlur === true;
  }

  /**
   * @param {import('../client/stats.js').SentVideo | undefined} sent totals; undefined while nothing is sent
   * @param {number} now milliseconds
   */
  show(sent, now) {
    const last = this.#last;
    this.#last = sent && { at: now, bytes: sent.bytes, frames: sent.frames };
    const { text, phrases } = this.#language;
    if (!sent || !last || sent.bytes <= last.bytes) return void (this.#sent.textContent = text.notSent);
    const seconds = (now - last.at) / 1000;
    const number = (/** @type {number} */ n) => this.#language.number(n);
    this.#sent.textContent = phrases.sending(`${sent.width} × ${sent.height}`,
      number((sent.frames - last.frames) / seconds),
      number(((sent.bytes - last.bytes) * 8) / 1000 / seconds));
  }

  /** @param {boolean} on */
  async #blurCamera(on) {
    try {
      await this.#track?.applyConstraints(/** @type {MediaTrackConstraints} */ ({ backgroundBlur: on }));
    } catch {
      this.#box.checked = !on; // the camera refused
    }
  }
}
