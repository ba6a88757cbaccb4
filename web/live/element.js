// <mindflow-live>: the picture, its labels and the controls in one element.

import { Attributes } from './attributes.js';
import { Controller } from './controller.js';
import { STYLES } from './styles.js';

/**
 * @typedef {{state: import('../client/states.js').Phase, reason?: import('../client/states.js').Reason, detail?:
 *   string, attempt?: number, ahead?: number}} StateDetail
 */
/** @typedef {{reason: import('../client/states.js').Reason | 'strange', message: string}} ErrorDetail */

/**
 * Shows a camera or another source, with the labels of a Mindflow server.
 *
 * @fires {CustomEvent<import('../client/wire.js').Labels>} mindflow-labels for each analysed frame; `detail` is the
 *   message (PROTOCOL.md, section 3)
 * @fires {CustomEvent<StateDetail>} mindflow-state when the state changes; `detail` has `state`, and where they apply
 *   `reason`, `detail`, `attempt`, `ahead`
 * @fires {CustomEvent<ErrorDetail>} mindflow-error when something fails; `detail` has `reason` and `message`. After the
 *   reason `strange` the session goes on, after any other it has ended
 * @slot notice the page's addition to the notice before the start
 * @slot controls the page's own buttons, beside Pause and Stop
 * @slot footer anything below the panel
 * @part stage the picture and its overlay
 * @part card the card over the picture while it is not live
 * @part button the card's button
 * @part badge "Live"
 * @part note the advice over a live picture
 * @part controls the row of buttons
 * @part panel the panel with the labels
 * @part reading the selected face's label in words
 * @part faces the cards of the faces
 * @part bars the bars of the probabilities
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
  static observedAttributes = ['mirror', 'facing', 'model', 'attention', 'token', 'max-faces', 'overlay', 'timing',
    'locale'];

  #root = this.attachShadow({ mode: 'open' });
  /** @type {Controller | undefined} from connectedCallback to the task after disconnectedCallback */
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
    if (this.#controller) return this.#controller.update(); // the element was moved, and its language may have changed
    this.#controller = new Controller(this, this.#root);
    this.#controller.begin();
    if (this.autostart) void this.start();
  }

  disconnectedCallback() {
    // A moved element is back in the document before the task ends; its session goes on.
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
   * The source to analyse instead of the camera: a stream, or a `<video>` that the page plays. It may be changed at any
   * time; `null` returns to the camera. The stream's tracks are copied; the page's own are never stopped.
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
   * The state: "idle", "asking", "connecting", "live", "paused", "reconnecting", "full", "stopped" or "failed".
   * @type {import('../client/states.js').Phase}
   */
  get state() {
    return this.#controller?.client.state.phase ?? 'idle';
  }

  /**
   * The id of the running session, else empty. The page `/watch/ID` of the server shows its labels to others.
   * @type {string}
   */
  get session() {
    return this.#controller?.session ?? '';
  }

  /** Opens the camera or the supplied source, and goes live. Does nothing while a session runs. */
  async start() {
    await this.#controller?.start();
  }

  /** Ends the session and releases the camera. */
  stop() {
    this.#controller?.client.stop();
  }

  /** Stops sending the picture. The camera stays on. */
  async pause() {
    await this.#controller?.client.pause();
  }

  /** Continues after a pause. */
  async resume() {
    await this.#controller?.client.resume();
  }

  /**
   * Returns the displayed picture with boxes and labels.
   * @param {{type?: string}} [how] type: "image/png" (default), "image/jpeg" or another one that the browser supports
   * @returns {Promise<Blob>}
   * @throws {DOMException} InvalidStateError, if there is no picture
   */
  async snapshot({ type = 'image/png' } = {}) {
    const { snapshot } = await import('./snapshot.js');
    const { picture, overlay } = this.#controller?.view.layers ?? {};
    const size = picture instanceof HTMLVideoElement ? { width: picture.videoWidth, height: picture.videoHeight }
      : picture;
    if (!picture || !size || !overlay || size.width === 0) {
      throw new DOMException('there is no picture: call start() first', 'InvalidStateError');
    }
    return snapshot(picture, size, overlay, this.mirror, type);
  }
}
