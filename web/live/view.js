// The visible part of <mindflow-live>: shows states and labels.

import { Announcer } from './announcer.js';
import { colourScale, attentionMap, strongestCell } from './attention.js';
import { Bars } from './bars.js';
import { StatusCard } from './statuscard.js';
import { Controls } from './controls.js';
import { FaceCards } from './facecards.js';
import { Advice } from './advice.js';
import { Overlay } from './overlay.js';
import { Privacy } from './privacy.js';
import { TimelineCursor } from './timelinecursor.js';
import { CurrentLabel } from './currentlabel.js';
import { Presenter, reportsFrames } from './timing/presenter.js';
import { Summary } from './summary.js';
import { template } from './template.js';
import { Timeline } from './timeline.js';
import { setText } from './settext.js';

/**
 * @typedef {object} ViewHandlers
 * @property {() => void} press the card's button was pressed
 * @property {(id: number) => void} pick a face was picked
 * @property {() => void} resize the picture's size or position changed, and it must be painted again
 * @property {(file: Blob) => void} file a file was chosen or dropped
 */

/**
 * Options of the view.
 * @typedef {object} ViewOptions
 * @property {boolean} mirror
 * @property {boolean} boxes
 * @property {import('./attributes.js').Timing} timing
 * @property {number} maxFaces
 * @property {import('./attention.js').AttentionMode} attention
 */

export class View {
  #root;
  #store;
  #language;
  #end = new AbortController();
  #video;
  #stage;
  #badge;
  #spoken;
  #legend;
  #health;
  #overlay;
  #overlayCanvas;
  #presenter;
  #statusCard;
  #currentLabel;
  #faceCards;
  #bars;
  #barLabels;
  #summary;
  #advice;
  #announcer = new Announcer();
  #phase = /** @type {import('../client/states.js').Phase} */ ('idle');

  /**
   * @param {ShadowRoot} root
   * @param {import('./labels/labelstore.js').LabelStore} store
   * @param {string} host that receives the picture
   * @param {ViewHandlers & import('./controls.js').ControlHandlers & import('./summary.js').SummaryHandlers} on
   * @param {import('../words/language.js').Language} language
   */
  constructor(root, store, host, on, language) {
    root.replaceChildren(...template(language.text));
    const { signal } = this.#end;
    this.#root = root;
    this.#store = store;
    this.#language = language;
    this.#video = /** @type {HTMLVideoElement} */ (root.querySelector('video'));
    this.#overlayCanvas = /** @type {HTMLCanvasElement} */ (root.querySelector('.overlay'));
    this.#stage = this.#find('.stage');
    this.#badge = this.#find('.badge');
    this.#spoken = this.#find('.spoken');
    this.#legend = this.#find('.legend');
    this.#find('.legend-scale').style.background = colourScale();
    this.#find('.frame').lang = language.code;
    this.#health = ['.rate', '.latency', '.dropped', '.drops'].map((name) => this.#find(name));
    this.#overlay = new Overlay(this.#overlayCanvas, language);
    this.#presenter = new Presenter(this.#video, /** @type {HTMLCanvasElement} */ (root.querySelector('.waiting')),
      this.#overlay);
    this.#statusCard = new StatusCard(root, host, language);
    this.#currentLabel = new CurrentLabel(root, language);
    this.#faceCards = new FaceCards(this.#find('.faces'), on.pick, language, signal);
    this.#barLabels = store.labels;
    this.#bars = new Bars(this.#find('.bars'), store.labels, language);
    this.#summary = new Summary(root, on, language, signal);
    this.#advice = new Advice(this.#find('.note'), this.#video, store, language);
    this.timeline = new Timeline(/** @type {HTMLCanvasElement} */ (root.querySelector('.timeline')), store);
    new TimelineCursor(root, this.timeline, language, signal);
    this.privacy = new Privacy(root, host, language, signal);
    this.controls = new Controls(root, on, language, signal);
    this.#listen(on, signal);
  }

  /** The picture and the overlay. */
  get layers() {
    return { picture: this.#presenter.picture, overlay: this.#overlayCanvas };
  }

  /** @param {import('../client/states.js').State} state */
  show(state) {
    this.#phase = state.phase;
    const focused = this.#root.activeElement;
    this.#statusCard.show(state);
    this.controls.show(state.phase);
    if (focused) this.#keepFocus(focused);
    this.#badge.hidden = state.phase !== 'live';
    this.#announcer.reset();
    const { title, cause, next } = this.#language.wordsFor(state);
    this.#announce([title, cause, next].filter((s) => s !== '').join(' '));
    if (state.phase === 'live') this.timeline.start();
    else this.timeline.stop();
  }

  /** @param {MediaStream | undefined} stream */
  showStream(stream) {
    this.#video.srcObject = stream ?? null;
    if (stream) this.#play().catch((error) => console.warn('mindflow:', error));
    this.privacy.use(stream?.getVideoTracks()[0]);
  }

  /**
   * Plays the picture, or shows a button: phones in power-saving mode refuse to play without a tap. The picture is sent
   * all the same.
   */
  async #play() {
    try {
      await this.#video.play();
    } catch (error) {
      if (!(error instanceof DOMException) || error.name !== 'NotAllowedError') return; // the source was changed
      const { showTapToPlay } = await import('./taptoplay.js');
      if (!this.#end.signal.aborted && this.#video.srcObject) {
        showTapToPlay(this.#video, this.#stage, this.#language.text.tap);
      }
    }
  }

  /**
   * Passes new labels to the presenter.
   * @param {import('../client/wire.js').Labels} message
   * @param {number} now milliseconds
   */
  receive(message, now) {
    this.#presenter.receive(message, now);
  }

  /**
   * Paints the current state.
   * @param {number} now milliseconds
   * @param {ViewOptions} how
   */
  paint(now, { mirror, boxes, timing, maxFaces, attention }) {
    const live = this.#phase === 'live';
    const store = this.#store;
    this.#stage.classList.toggle('mirrored', mirror);
    this.controls.showMirror(mirror);
    const faces = live ? store.faces(now, maxFaces) : [];
    const how = { mirror, selected: store.selected, labels: store.labels, attention };
    this.#presenter.present({ live, boxes, faces, maxFaces, timing, how }, now);
    this.#paintChoices(attention, timing);
    this.#paintLegend(live ? store.face(now)?.attention : undefined, attention, mirror);
    this.#overlayCanvas.classList.toggle('pickable', faces.length > 1);
    this.#paintPanel(live ? now : undefined, faces);
    if (!live) this.timeline.draw(now);
  }

  /** Updates what need not follow every message. @param {number} now milliseconds @param {ViewOptions} options */
  refresh(now, { mirror, maxFaces }) {
    const live = this.#phase === 'live';
    const advice = this.#advice.update(live, now);
    if (advice) this.#announce(advice);
    this.#paintHealth(now);
    this.#faceCards.draw(this.#video, live ? this.#store.faces(now, maxFaces) : [], mirror);
    this.#summary.show(this.#store.log, this.#store.labels);
    const face = live ? this.#store.face(now) : undefined;
    const announcement = face && this.#announcer.next(face.uncertain ? this.#language.text.uncertain
      : this.#language.expression(face.label), now);
    if (announcement) this.#announce(announcement);
  }

  /** Ends listeners, timers and the picture. */
  release() {
    this.#end.abort();
    this.timeline.stop();
    this.#presenter.release();
    this.#statusCard.release();
    this.showStream(undefined);
    this.#root.replaceChildren();
  }

  /** @param {import('./attention.js').AttentionMode} attention @param {import('./attributes.js').Timing} timing */
  #paintChoices(attention, timing) {
    const { models, model, heads } = this.#store;
    this.controls.listModels(models.map((m) => m.name), model?.name ?? '');
    this.controls.listAttention(model?.attention === true, heads, attention);
    this.controls.listTimings(reportsFrames(this.#video) ? timing : undefined);
  }

  /**
   * @param {import('../client/wire.js').Attention | undefined} attention
   * @param {import('./attention.js').AttentionMode} mode
   * @param {boolean} mirror
   */
  #paintLegend(attention, mode, mirror) {
    this.#legend.hidden = !attention || mode === 'off';
    if (!attention || mode === 'off') return;
    const { phrases } = this.#language;
    const name = this.#language.attention(mode === 'mean' ? mode : Math.min(mode, attention.heads));
    const [row, column] = strongestCell(attentionMap(attention, mode), attention.width, attention.height, mirror);
    this.#legend.setAttribute('aria-label', phrases.peak(name, `${phrases.rows[row]} ${phrases.columns[column]}`));
  }

  /** @param {number | undefined} now undefined while not live @param {import('../client/wire.js').Face[]} faces */
  #paintPanel(now, faces) {
    const { labels, selected } = this.#store;
    const face = now === undefined ? undefined : this.#store.face(now);
    if (labels !== this.#barLabels) {
      this.#barLabels = labels;
      this.#bars.setLabels(labels);
    }
    this.#bars.show(now === undefined ? undefined : this.#store.scores(now));
    this.#currentLabel.show(face, this.#phase === 'live', labels);
    this.#faceCards.offer(faces, selected);
  }

  /** @param {number} now */
  #paintHealth(now) {
    const { rate, latency, dropped, reasons } = this.#store.health.report(now);
    const on = this.#phase === 'live';
    const [rateField, latencyField, droppedField, drops] = this.#health;
    const number = (/** @type {number} */ n) => this.#language.number(n);
    setText(rateField, on ? number(rate) : '–');
    setText(latencyField, on && latency !== undefined ? number(latency) : '–');
    setText(droppedField, on ? number(dropped) : '–');
    drops.title = [this.#language.text.droppedTitle,
      ...Object.entries(reasons).map(([why, n]) => `${why}: ${number(n)}`)].join('\n');
  }

  /** @param {string} text for screen readers */
  #announce(text) {
    setText(this.#spoken, text);
  }

  /**
   * Moves the focus if the focused button is gone: Start is replaced by Stop, and Stop by Start.
   * @param {Element} focused
   */
  #keepFocus(focused) {
    const usable = (/** @type {Element} */ el) => el.getClientRects().length > 0 && !el.matches(':disabled');
    if (usable(focused)) return;
    const next = ['.card-button', '.stop'].map((name) => this.#find(name)).find(usable);
    next?.focus();
  }

  /** @param {ViewHandlers} on @param {AbortSignal} signal */
  #listen(on, signal) {
    this.#find('.card-button').addEventListener('click', on.press, { signal });
    this.#overlayCanvas.addEventListener('click', (e) => {
      const id = this.#overlay.faceAt(e.clientX, e.clientY);
      if (id !== undefined) on.pick(id);
    }, { signal });
    this.#video.addEventListener('resize', () => {
      this.#stage.style.setProperty('--aspect', `${this.#video.videoWidth} / ${this.#video.videoHeight}`);
      on.resize();
    }, { signal });
    const resized = new ResizeObserver(() => {
      this.#overlay.measure();
      this.#presenter.redraw(performance.now()); // at once, or the old drawing appears stretched
      on.resize();
    });
    resized.observe(this.#stage);
    signal.addEventListener('abort', () => resized.disconnect(), { once: true });
    takeFiles(this.#stage, this.#find('.drop'),
      /** @type {HTMLInputElement} */ (this.#root.querySelector('.card-file input')), on.file, signal);
  }

  /** @param {string} selector @returns {HTMLElement} */
  #find(selector) {
    return /** @type {HTMLElement} */ (this.#root.querySelector(selector));
  }
}

/**
 * Accepts files that are chosen or dropped on the stage.
 * @param {HTMLElement} stage
 * @param {HTMLElement} hint shown while a file hovers
 * @param {HTMLInputElement} input
 * @param {(file: Blob) => void} on
 * @param {AbortSignal} signal
 */
function takeFiles(stage, hint, input, on, signal) {
  const holdsFile = (/** @type {DragEvent} */ e) => e.dataTransfer?.types.includes('Files') === true;
  input.addEventListener('change', () => {
    const file = input.files?.[0];
    input.value = ''; // allows choosing the same file again
    if (file) on(file);
  }, { signal });
  stage.addEventListener('dragover', (e) => {
    if (!holdsFile(e)) return;
    e.preventDefault();
    hint.hidden = false;
  }, { signal });
  stage.addEventListener('dragleave', (e) => {
    if (!(e.relatedTarget instanceof Node && stage.contains(e.relatedTarget))) hint.hidden = true;
  }, { signal });
  stage.addEventListener('drop', (e) => {
    if (!holdsFile(e)) return;
    e.preventDefault();
    hint.hidden = true;
    const file = e.dataTransfer?.files[0];
    if (file) on(file);
  }, { signal });
}
