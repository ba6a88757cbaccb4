// <mindflow-live>: a camera, its labels, and the controls in one element.

import { showFrom } from './attention.js';
import { cameras } from './camera.js';
import { Client } from './client.js';
import { Reading } from './reading.js';
import { STYLES } from './styles.js';
import { View } from './view.js';
import { wordsFor } from './words.js';

const TICK_MS = 500;
const ROUND_TRIP_EVERY = 4; // ticks

/**
 * Attributes: `src`, the server's address (default: where this module came from); `mirror`, "on" to show
 * the picture as in a mirror, "off" as the camera sees it (default: "off" for a camera that looks away from
 * the visitor, else "on"); `model`, the one of the server's to read with (default: the server's);
 * `attention`, to show where it looks: "mean" of its heads, a head's number from 1, or "off" (default).
 *
 * Events, which bubble and leave shadow trees: `mindflow-labels` (detail: the message, PROTOCOL.md),
 * `mindflow-state` (detail: {state, reason, detail, attempt}), `mindflow-error` (detail: {reason,
 * message}; the reason `strange` does not end the session, any other did).
 */
export class MindflowLive extends HTMLElement {
  static observedAttributes = ['mirror', 'model', 'attention'];

  #root = this.attachShadow({ mode: 'open' });
  #reading = new Reading();

  // of one life in the document, from connectedCallback to #release
  /** @type {{client: Client, view: View, end: AbortController} | undefined} */
  #life;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #ticker;
  #ticks = 0;
  #looksAway = false; // the camera, from the visitor: a phone's rear one
  #frame = 0;

  constructor() {
    super();
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLES);
    this.#root.adoptedStyleSheets = [sheet];
  }

  connectedCallback() {
    if (this.#life) return; // it was moved
    const endpoint = new URL('whip', this.src.replace(/\/*$/, '/'));
    const end = new AbortController();
    const client = new Client(endpoint.href, {
      state: (state) => this.#showState(state),
      stream: (stream) => this.#showStream(stream),
      labels: (message) => this.#receive(message),
      hello: (hello) => {
        this.#reading.hello(hello);
        this.#paint();
      },
      strange: (error) => this.#emit('mindflow-error', { reason: 'strange', message: error.message }),
    });
    const view = new View(this.#root, this.#reading, endpoint.host, {
      press: () => this.#press(client),
      pick: (id) => this.#pick(id),
      resize: () => this.#paint(),
      pause: () => void (client.state.phase === 'paused' ? client.resume() : client.pause()),
      stop: () => client.stop(),
      mirror: () => { this.mirror = !this.mirror; },
      camera: (id) => void client.useCamera(id),
      model: (name) => { this.model = name; },
      attention: (show) => { this.attention = show; },
    }, end.signal);
    this.#life = { client, view, end };
    this.#want();
    // A page that is left ends its session; one that comes back from the browser's cache is found stopped.
    addEventListener('pagehide', () => client.stop(), { signal: end.signal });
    navigator.mediaDevices?.addEventListener('devicechange', () => void this.#listCameras(), { signal: end.signal });
    this.#showState(client.state);
  }

  disconnectedCallback() {
    // An element that is moved is back before the task ends; its session goes on.
    setTimeout(() => {
      if (!this.isConnected) this.#release();
    });
  }

  attributeChangedCallback() {
    this.#want();
    this.#paint();
  }

  /** The server's address. It is read when the element enters the document. */
  get src() {
    const own = this.getAttribute('src');
    return own === null ? new URL('.', import.meta.url).href : new URL(own, document.baseURI).href;
  }

  /** Whether the picture is shown as in a mirror. Boxes follow, text stays readable. */
  get mirror() {
    const chosen = this.getAttribute('mirror');
    return chosen === null ? !this.#looksAway : chosen !== 'off';
  }

  set mirror(on) {
    this.setAttribute('mirror', on ? 'on' : 'off');
  }

  /** The model to read with; empty for the server's default. The server says which there are. */
  get model() {
    return this.getAttribute('model') ?? '';
  }

  set model(name) {
    if (name) this.setAttribute('model', name);
    else this.removeAttribute('model');
  }

  /** Which map of where the network looks is shown: "off", "mean", or a head's number from 1. */
  get attention() {
    return String(showFrom(this.getAttribute('attention')));
  }

  set attention(show) {
    this.setAttribute('attention', show);
  }

  /** Asks for the camera and goes live. It does nothing while a session runs. */
  async start() {
    await this.#life?.client.start();
  }

  /** Ends the session and releases the camera. */
  stop() {
    this.#life?.client.stop();
  }

  /** Stops sending the picture; the camera stays on. */
  async pause() {
    await this.#life?.client.pause();
  }

  /** Goes on after a pause. */
  async resume() {
    await this.#life?.client.resume();
  }

  /** The card's button does what its words say. @param {Client} client */
  #press(client) {
    switch (client.state.phase) {
      case 'paused': return void client.resume();
      case 'full':
      case 'reconnecting': return client.retryNow();
      default: return void client.start();
    }
  }

  /** @param {number} id */
  #pick(id) {
    this.#reading.pick(id, performance.now());
    this.#paint();
  }

  /** @param {import('./wire.js').Labels} message */
  #receive(message) {
    this.#reading.receive(message, performance.now());
    this.#paint();
    this.#emit('mindflow-labels', message);
  }

  /** @param {import('./states.js').State} state */
  #showState(state) {
    const { phase, reason, detail, attempt } = state;
    if (phase === 'live') this.#reading.begin(performance.now());
    else if (phase !== 'paused') this.#reading.reset();
    this.#life?.view.show(state);
    this.#setTicking(phase === 'live');
    this.#paint();
    this.#emit('mindflow-state', { state: phase, reason, detail, attempt });
    if (phase === 'failed') {
      const message = [wordsFor(state).title, detail].filter((s) => s).join(': ');
      this.#emit('mindflow-error', { reason, message });
    }
  }

  /** @param {MediaStream | undefined} stream */
  #showStream(stream) {
    this.#life?.view.showStream(stream);
    if (!stream) return;
    this.#looksAway = stream.getVideoTracks()[0].getSettings().facingMode === 'environment';
    this.#paint();
    void this.#listCameras();
  }

  async #listCameras() {
    const list = await cameras();
    const life = this.#life;
    life?.view.controls.listCameras(list, life.client.deviceId);
  }

  /** @param {boolean} on */
  #setTicking(on) {
    clearInterval(this.#ticker);
    this.#ticker = on ? setInterval(() => void this.#tick(), TICK_MS) : undefined;
  }

  /** Brings up to date what changes without a message: rates, hints, labels that grow old. */
  async #tick() {
    this.#paint();
    if (this.#ticks++ % ROUND_TRIP_EVERY !== 0) return;
    const { health } = this.#reading;
    health.roundTrip = (await this.#life?.client.roundTrip()) ?? health.roundTrip;
  }

  /** Has the server do what the attributes say. */
  #want() {
    this.#life?.client.want({ model: this.model, attention: this.attention !== 'off' });
  }

  /** Draws at the screen's next frame, once for all that asked. */
  #paint() {
    if (!this.#life) return;
    this.#frame ||= requestAnimationFrame((now) => {
      this.#frame = 0;
      this.#life?.view.paint(now, { mirror: this.mirror, attention: showFrom(this.attention) });
    });
  }

  /** @param {string} type @param {unknown} detail */
  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail, bubbles: true, composed: true }));
  }

  #release() {
    const life = this.#life;
    if (!life) return;
    life.client.stop();
    this.#life = undefined;
    this.#setTicking(false);
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    life.end.abort();
    life.view.release();
  }
}
