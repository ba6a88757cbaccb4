// Runs <mindflow-live> from its entry into a document to its removal: connects the client with the view.

import { attentionMode } from './attention.js';
import { AutoPause } from './autopause.js';
import { cameras } from '../client/camera.js';
import { Client } from '../client/client.js';
import { whipEndpoint } from '../client/endpoint.js';
import { Language } from '../words/language.js';
import { LabelStore } from './labels/labelstore.js';
import { View } from './view.js';

const TICK_MS = 500;
const STATS_EVERY = 4; // ticks

/** @type {ReadonlySet<string>} phases without a running session */
const AT_REST = new Set(['idle', 'stopped', 'failed']);

export class Controller {
  // static after construction
  #element;
  #root;
  #host; // receives the picture
  #end = new AbortController();
  #store = new LabelStore();
  client;
  #autoPause;

  #language;
  #facing;
  view;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #ticker;
  #ticks = 0;
  #frame = 0;
  /** @type {MediaStream | undefined} the displayed stream */
  #stream;

  /** @param {import('./element.js').MindflowLive} element @param {ShadowRoot} root of the element */
  constructor(element, root) {
    this.#element = element;
    this.#root = root;
    const endpoint = whipEndpoint(element.src);
    this.#host = endpoint.host;
    this.client = new Client(endpoint.href, {
      state: (state) => this.#showState(state),
      stream: (stream) => this.#showStream(stream),
      labels: (message) => this.#receive(message),
      hello: (hello) => {
        this.#store.hello(hello);
        this.#paint();
      },
      warning: (error) => this.#emit('mindflow-error', { reason: 'strange', message: error.message }),
    }, () => (element.route === 'relay' ? { iceTransportPolicy: 'relay' } : {}));
    this.#autoPause = new AutoPause(this.client, this.#end.signal);
    this.#facing = element.facing;
    this.#language = new Language(element.locale);
    this.view = this.#makeView();
  }

  begin() {
    const { signal } = this.#end;
    this.update();
    // Leaving the page ends its session. A page from the back-forward cache is in the state `stopped`.
    addEventListener('pagehide', () => this.client.leave(), { signal });
    this.#autoPause.start();
    navigator.mediaDevices?.addEventListener('devicechange', () => void this.#listCameras(), { signal });
    this.#showState(this.client.state);
  }

  /** Ends the session, listeners and timers. */
  release() {
    this.client.stop();
    clearInterval(this.#ticker);
    this.#end.abort();
    this.view.release();
    cancelAnimationFrame(this.#frame);
  }

  async start() {
    await this.client.start(this.#sourceChoice());
  }

  /** Changes to the source that the element's properties now name. */
  changeSource() {
    if (this.#inactive) this.#showState(this.client.state);
    else void this.client.changeSource(this.#sourceChoice());
  }

  /** Applies the element's properties. */
  update() {
    this.#updateLanguage();
    this.client.setToken(this.#element.token);
    this.client.setOptions({ model: this.#element.model, attention: this.#element.attention !== 'off' });
    const { facing } = this.#element;
    if (facing !== this.#facing && !this.#inactive && !this.#supplied) void this.client.changeSource({ facing });
    this.#facing = facing;
    this.#paint();
  }

  /** The session's id; empty if there is none. */
  get session() {
    return this.#inactive ? '' : this.#store.session;
  }

  get #inactive() {
    return AT_REST.has(this.client.state.phase);
  }

  /** Whether the source is supplied, not a camera. */
  get #supplied() {
    return this.#inactive ? this.#element.srcObject !== null : this.client.state.supplied === true;
  }

  #makeView() {
    const { client } = this;
    const element = this.#element;
    return new View(this.#root, this.#store, this.#host, {
      press: () => this.#press(),
      pick: (id) => this.#pick(id),
      resize: () => this.#paint(),
      file: (file) => void this.#openFile(file),
      export: (what) => void this.#export(what),
      pause: () => void (client.state.phase === 'paused' ? client.resume() : client.pause()),
      stop: () => client.stop(),
      mirror: () => { element.mirror = !element.mirror; },
      camera: (id) => void client.changeSource({ deviceId: id }),
      model: (name) => { element.model = name; },
      timing: (timing) => { element.timing = timing === 'exact' ? 'exact' : 'live'; },
      attention: (show) => { element.attention = show; },
    }, this.#language);
  }

  /** Rebuilds the view if the language changed. */
  #updateLanguage() {
    const { locale } = this.#element;
    if (locale === this.#language.requested) return;
    this.#language = new Language(locale);
    this.view.release();
    this.view = this.#makeView();
    if (this.#stream) this.#showStream(this.#stream);
    this.view.show({ ...this.client.state, supplied: this.#supplied });
  }

  /** @returns {import('../client/videosource.js').SourceChoice} */
  #sourceChoice() {
    const { srcObject, facing } = this.#element;
    return srcObject ? { supplied: srcObject } : { facing };
  }

  /** Performs the action of the card's button. */
  #press() {
    const { client } = this;
    switch (client.state.phase) {
      case 'paused': return void client.resume();
      case 'full':
      case 'reconnecting': return client.retryNow();
      default: return void this.start();
    }
  }

  /** @param {Blob} file */
  async #openFile(file) {
    if (this.#inactive) await this.client.start({ supplied: file });
    else await this.client.changeSource({ supplied: file });
  }

  /** @param {'csv' | 'json' | 'png'} what */
  async #export(what) {
    const { exportSession } = await import('./exportsession.js');
    await exportSession(what, this.#store, this.view.timeline.shown, this.#language, this.#end.signal);
  }

  /** @param {number} id */
  #pick(id) {
    this.#store.select(id, performance.now());
    this.#paint();
  }

  /** @param {import('../client/wire.js').Labels} message */
  #receive(message) {
    const now = performance.now();
    this.#store.receive(message, now);
    this.view.receive(message, now);
    this.#paint();
    this.#emit('mindflow-labels', message);
  }

  /** @param {import('../client/states.js').State} state */
  #showState(state) {
    const { phase, reason, detail, attempt, ahead } = state;
    const shown = { ...state, supplied: this.#supplied };
    if (phase === 'live') this.#store.start(performance.now());
    else if (phase !== 'paused') this.#store.reset();
    if (phase === 'asking' || (phase === 'connecting' && shown.supplied)) this.#store.log.clear();
    this.view.show(shown);
    this.#setTicking(phase === 'live');
    this.#paint();
    this.#emit('mindflow-state', { state: phase, reason, detail, attempt, ahead });
    this.#autoPause.update();
    if (phase === 'failed') {
      const message = [this.#language.wordsFor(shown).title, detail].filter((s) => s).join(': ');
      this.#emit('mindflow-error', { reason, message });
    }
  }

  /** @param {MediaStream | undefined} stream */
  #showStream(stream) {
    this.#stream = stream;
    this.view.showStream(stream);
    this.#autoPause.watch(stream?.getVideoTracks()[0], stream && this.client.drawn);
    if (!stream) return;
    this.#element.looksAway = this.#supplied || stream.getVideoTracks()[0].getSettings().facingMode === 'environment';
    this.#paint();
    void this.#listCameras();
  }

  async #listCameras() {
    const list = await cameras();
    this.view.controls.listCameras(list, this.client.deviceId);
  }

  /** @param {boolean} on */
  #setTicking(on) {
    clearInterval(this.#ticker);
    this.#ticker = on ? setInterval(() => void this.#tick(), TICK_MS) : undefined;
    if (!on) this.#refresh();
  }

  /** Updates what changes without a message: rates, advice, labels that become stale. */
  async #tick() {
    this.#paint();
    this.#refresh();
    if (this.#ticks++ % STATS_EVERY !== 0) return;
    const stats = await this.client.stats();
    const { health } = this.#store;
    health.roundTrip = stats?.roundTrip ?? health.roundTrip;
    this.view.privacy.show(stats?.sent, performance.now());
  }

  #refresh() {
    this.view.refresh(performance.now(), this.#viewOptions());
  }

  /** @returns {import('./view.js').ViewOptions} */
  #viewOptions() {
    const element = this.#element;
    return {
      mirror: element.mirror, boxes: element.overlay !== 'off', timing: element.timing, maxFaces: element.maxFaces,
        attention: attentionMode(element.attention),
    };
  }

  /** Paints at the next animation frame, once for all requests. */
  #paint() {
    if (this.#end.signal.aborted) return;
    this.#frame ||= requestAnimationFrame((now) => {
      this.#frame = 0;
      this.view.paint(now, this.#viewOptions());
    });
  }

  /** @param {string} type @param {unknown} detail */
  #emit(type, detail) {
    this.#element.dispatchEvent(new CustomEvent(type, { detail, bubbles: true, composed: true }));
  }

}
