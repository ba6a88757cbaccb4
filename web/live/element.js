// <mindflow-live>: a picture, its labels, and the controls in one element.

import { Attributes } from './attributes.js';
import { Controller } from './controller.js';
import { STYLES } from './styles.js';

/** @typedef {{state: import('../client/states.js').Phase, reason?: import('../client/states.js').Reason, detail?: string, attempt?: number, ahead?: number}} StateDetail */
/** @typedef {{reason: import('../client/states.js').Reason | 'strange', message: string}} ErrorDetail */

/**
 * A camera, or a picture that is given, with what a Mindflow server reads in it.
 *
 * @fires {CustomEvent<import('../client/wire.js').Labels>} mindflow-labels for each analysed frame; `detail` is the message (PROTOCOL.md, section 3)
 * @fires {CustomEvent<StateDetail>} mindflow-state when the state changes; `detail` has `state`, and where it applies `reason`, `detail`, `attempt`, `ahead`
 * @fires {CustomEvent<ErrorDetail>} mindflow-error when something fails; `detail` has `reason` and `message`. The reason `strange` does not end the
 *   session, any other did
 * @slot notice what the page adds to the notice before the start
 * @slot controls buttons of the page's own, beside Pause and Stop
 * @slot footer anything below the panel
 * @part stage the picture with what lies over it
 * @part card the card over the picture while it is not live
 * @part button the card's button
 * @part badge "Live"
 * @part note the hint over a live picture
 * @part controls the row of buttons
 * @part panel the panel with the reading
 * @part reading the label in words
 * @part faces the cards of several faces
 * @part bars the bars of probabilities
 * @part timeline the last minute
 * @cssproperty --mindflow-ink colour of text
 * @cssproperty --mindflow-soft colour of secondary text
 * @cssproperty --mindflow-line colour of borders
 * @cssproperty --mindflow-ground colour behind panel and buttons
 * @cssproperty --mindflow-inset colour behind bars and timeline
 * @cssproperty --mindflow-accent colour of focus and switches
 * @cssproperty --mindflow-round radius of corners
 * @cssproperty --mindflow-font the font, as in `font-family`
 */
export class MindflowLive extends Attributes {
  static observedAttributes = ['mirror', 'facing', 'model', 'attention', 'token', 'max-faces', 'overlay', 'timing', 'locale'];

  #root = this.attachShadow({ mode: 'open' });
  /** @type {Controller | undefined} one stay in the document, from connectedCallback to the task after disconnectedCallback */
  #controller;
  /** @type {MediaStream | HTMLVideoElement | null} */
  #supplied = null;

  constructor() {
    super();
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLES);
    this.#root.adoptedStyleSheets = [sheet];
  }

  connectedCallback() {
    if (this.#controller) return this.#controller.update(); // it was moved, perhaps to where another language is spoken
    this.#controller = new Controller(this, this.#root);
    this.#controller.begin();
    if (this.autostart) void this.start();
  }

  disconnectedCallback() {
    // An element that is moved is back before the task ends; its session goes on.
    setTimeout(() => {
      if (this.isConnected) return;
      this.#controller?.release();
      this.#controller = undefined;
    });
  }

  attributeChangedCallback() {
    this.changed();
  }

  changed() {
    this.#controller?.update();
  }

  /**
   * A picture to analyse instead of the camera's: a stream, or a `<video>` that the page plays. It may be changed at any time; `null` goes back
   * to the camera. The stream's tracks stay the page's: they are copied, and not stopped.
   * @type {MediaStream | HTMLVideoElement | null}
   */
  get srcObject() {
    return this.#supplied;
  }

  set srcObject(source) {
    this.#supplied = source;
    this.#controller?.changeSource();
  }

  /**
   * Where it stands: "idle", "asking", "connecting", "live", "paused", "reconnecting", "full", "stopped" or "failed".
   * @type {import('../client/states.js').Phase}
   */
  get state() {
    return this.#controller?.client.state.phase ?? 'idle';
  }

  /**
   * The session's id on the server while one stands, else empty: `/watch/ID` there shows its labels to others.
   * @type {string}
   */
  get session() {
    return this.#controller?.session ?? '';
  }

  /** Asks for the camera, or takes what was given, and goes live. It does nothing while a session runs. */
  async start() {
    await this.#controller?.start();
  }

  /** Ends the session and releases the camera. */
  stop() {
    this.#controller?.client.stop();
  }

  /** Stops sending the picture; the camera stays on. */
  async pause() {
    await this.#controller?.client.pause();
  }

  /** Goes on after a pause. */
  async resume() {
    await this.#controller?.client.resume();
  }

  /**
   * The picture as it is shown now, with boxes and labels.
   * @param {{type?: string}} [how] type: "image/png" (default), "image/jpeg" or another that the browser writes
   * @returns {Promise<Blob>}
   * @throws {DOMException} InvalidStateError, while there is no picture
   */
  async snapshot({ type = 'image/png' } = {}) {
    const { snapshot } = await import('./snapshot.js');
    const { picture, overlay } = this.#controller?.view.layers ?? {};
    const size = picture instanceof HTMLVideoElement ? { width: picture.videoWidth, height: picture.videoHeight } : picture;
    if (!picture || !size || !overlay || size.width === 0) throw new DOMException('there is no picture: call start() first', 'InvalidStateError');
    return snapshot(picture, size, overlay, this.mirror, type);
  }
}
