// One stay of <mindflow-live> in a document: its client, its view, and what runs between the two.

import { showFrom } from './attention.js';
import { Background } from './autopause.js';
import { cameras } from '../client/camera.js';
import { Client } from '../client/client.js';
import { endpointOf } from '../client/endpoint.js';
import { Language } from '../words/language.js';
import { Reading } from './labels/labelstore.js';
import { View } from './view.js';

const TICK_MS = 500;
const STATS_EVERY = 4; // ticks

/** @type {ReadonlySet<string>} the phases in which nothing runs */
const AT_REST = new Set(['idle', 'stopped', 'failed']);

export class Life {
  // static after construction
  #element;
  #root;
  #host; // where the picture goes
  #end = new AbortController();
  #reading = new Reading();
  client;
  #background;

  #language;
  #facing;
  view;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #ticker;
  #ticks = 0;
  #frame = 0;
  /** @type {MediaStream | undefined} what is shown */
  #stream;

  /** @param {import('./element.js').MindflowLive} element @param {ShadowRoot} root of it */
  constructor(element, root) {
    this.#element = element;
    this.#root = root;
    const endpoint = endpointOf(element.src);
    this.#host = endpoint.host;
    this.client = new Client(endpoint.href, {
      state: (state) => this.#showState(state),
      stream: (stream) => this.#showStream(stream),
      labels: (message) => this.#receive(message),
      hello: (hello) => {
        this.#reading.hello(hello);
        this.#paint();
      },
      strange: (error) => this.#emit('mindflow-error', { reason: 'strange', message: error.message }),
    }, () => (element.route === 'relay' ? { iceTransportPolicy: 'relay' } : {}));
    this.#background = new Background(this.client, this.#end.signal);
    this.#facing = element.facing;
    this.#language = new Language(element.locale);
    this.view = this.#makeView();
  }

  begin() {
    const { signal } = this.#end;
    this.update();
    // A page that is left ends its session; one that comes back from the browser's cache is found stopped.
    addEventListener('pagehide', () => this.client.leave(), { signal });
    this.#background.begin();
    navigator.mediaDevices?.addEventListener('devicechange', () => void this.#listCameras(), { signal });
    this.#showState(this.client.state);
  }

  /** Ends the session and everything that runs by itself. */
  release() {
    this.client.stop();
    clearInterval(this.#ticker);
    this.#end.abort();
    this.view.release();
    cancelAnimationFrame(this.#frame);
  }

  async start() {
    await this.client.start(this.#choice());
  }

  /** Another picture than before is to be analysed. */
  changeSource() {
    if (this.#atRest) this.#showState(this.client.state);
    else void this.client.use(this.#choice());
  }

  /** Does what the element's properties now say. */
  update() {
    this.#speak();
    this.client.useToken(this.#element.token);
    this.client.want({ model: this.#element.model, attention: this.#element.attention !== 'off' });
    const { facing } = this.#element;
    if (facing !== this.#facing && !this.#atRest && !this.#given) void this.client.use({ facing });
    this.#facing = facing;
    this.#paint();
  }

  /** The session's id; empty while there is none. */
  get session() {
    return this.#atRest ? '' : this.#reading.session;
  }

  get #atRest() {
    return AT_REST.has(this.client.state.phase);
  }

  /** Whether the picture is not a camera's. */
  get #given() {
    return this.#atRest ? this.#element.srcObject !== null : this.client.state.given === true;
  }

  #makeView() {
    const { client } = this;
    const element = this.#element;
    return new View(this.#root, this.#reading, this.#host, {
      press: () => this.#press(),
      pick: (id) => this.#pick(id),
      resize: () => this.#paint(),
      file: (file) => void this.#openFile(file),
      take: (what) => void this.#take(what),
      pause: () => void (client.state.phase === 'paused' ? client.resume() : client.pause()),
      stop: () => client.stop(),
      mirror: () => { element.mirror = !element.mirror; },
      camera: (id) => void client.use({ deviceId: id }),
      model: (name) => { element.model = name; },
      timing: (timing) => { element.timing = timing === 'exact' ? 'exact' : 'live'; },
      attention: (show) => { element.attention = show; },
    }, this.#language);
  }

  /** Speaks the language that is asked for. */
  #speak() {
    const { locale } = this.#element;
    if (locale === this.#language.asked) return;
    this.#language = new Language(locale);
    this.view.release();
    this.view = this.#makeView();
    if (this.#stream) this.#showStream(this.#stream);
    this.view.show({ ...this.client.state, given: this.#given });
  }

  /** @returns {import('../client/source.js').Choice} */
  #choice() {
    const { srcObject, facing } = this.#element;
    return srcObject ? { given: srcObject } : { facing };
  }

  /** The card's button does what its words say. */
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
    if (this.#atRest) await this.client.start({ given: file });
    else await this.client.use({ given: file });
  }

  /** @param {'csv' | 'json' | 'png'} what */
  async #take(what) {
    const { take } = await import('./exportsession.js');
    await take(what, this.#reading, this.view.timeline.shown, this.#language, this.#end.signal);
  }

  /** @param {number} id */
  #pick(id) {
    this.#reading.pick(id, performance.now());
    this.#paint();
  }

  /** @param {import('../client/wire.js').Labels} message */
  #receive(message) {
    const now = performance.now();
    this.#reading.receive(message, now);
    this.view.see(message, now);
    this.#paint();
    this.#emit('mindflow-labels', message);
  }

  /** @param {import('../client/states.js').State} state */
  #showState(state) {
    const { phase, reason, detail, attempt, ahead } = state;
    const shown = { ...state, given: this.#given };
    if (phase === 'live') this.#reading.begin(performance.now());
    else if (phase !== 'paused') this.#reading.reset();
    if (phase === 'asking' || (phase === 'connecting' && shown.given)) this.#reading.record.clear();
    this.view.show(shown);
    this.#setTicking(phase === 'live');
    this.#paint();
    this.#emit('mindflow-state', { state: phase, reason, detail, attempt, ahead });
    this.#background.look();
    if (phase === 'failed') {
      const message = [this.#language.wordsFor(shown).title, detail].filter((s) => s).join(': ');
      this.#emit('mindflow-error', { reason, message });
    }
  }

  /** @param {MediaStream | undefined} stream */
  #showStream(stream) {
    this.#stream = stream;
    this.view.showStream(stream);
    this.#background.use(stream?.getVideoTracks()[0], stream && this.client.drawn);
    if (!stream) return;
    this.#element.looksAway = this.#given || stream.getVideoTracks()[0].getSettings().facingMode === 'environment';
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

  /** Brings up to date what changes without a message: rates, hints, labels that grow old. */
  async #tick() {
    this.#paint();
    this.#refresh();
    if (this.#ticks++ % STATS_EVERY !== 0) return;
    const stats = await this.client.measures();
    const { health } = this.#reading;
    health.roundTrip = stats?.roundTrip ?? health.roundTrip;
    this.view.privacy.show(stats?.sent, performance.now());
  }

  #refresh() {
    this.view.refresh(performance.now(), this.#how());
  }

  /** @returns {import('./view.js').How} */
  #how() {
    const element = this.#element;
    return {
      mirror: element.mirror, boxes: element.overlay !== 'off', timing: element.timing, maxFaces: element.maxFaces, attention: showFrom(element.attention),
    };
  }

  /** Draws at the screen's next frame, once for all that asked. */
  #paint() {
    if (this.#end.signal.aborted) return;
    this.#frame ||= requestAnimationFrame((now) => {
      this.#frame = 0;
      this.view.paint(now, this.#how());
    });
  }

  /** @param {string} type @param {unknown} detail */
  #emit(type, detail) {
    this.#element.dispatchEvent(new CustomEvent(type, { detail, bubbles: true, composed: true }));
  }

}
