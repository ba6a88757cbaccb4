// Everything that is seen of <mindflow-live>: it takes states and readings and shows them.

import { gradient, mapOf, peakWords } from './attention.js';
import { Bars } from './bars.js';
import { Card } from './card.js';
import { Controls } from './controls.js';
import { Overlay } from './overlay.js';
import { Readout } from './readout.js';
import { TEMPLATE } from './template.js';
import { Timeline } from './timeline.js';
import { attentionName, NOTES, TEXT, wordsFor } from './words.js';

/**
 * @typedef {object} ViewHandlers
 * @property {() => void} press the card's button
 * @property {(id: number) => void} pick a face
 * @property {() => void} resize the picture's place or shape changed: it wants painting
 */

export class View {
  #root;
  #reading;
  #video;
  #stage;
  #badge;
  #note;
  #spoken;
  #legend;
  #health;
  #overlay;
  #overlayCanvas;
  #card;
  #readout;
  #bars;
  #barLabels;
  #timeline;
  #phase = /** @type {import('./states.js').Phase} */ ('idle');

  /**
   * @param {ShadowRoot} root
   * @param {import('./reading.js').Reading} reading
   * @param {string} host where the picture goes
   * @param {ViewHandlers & import('./controls.js').ControlHandlers} on
   * @param {AbortSignal} signal ends all listening
   */
  constructor(root, reading, host, on, signal) {
    root.innerHTML = TEMPLATE;
    this.#root = root;
    this.#reading = reading;
    this.#video = /** @type {HTMLVideoElement} */ (root.querySelector('video'));
    this.#overlayCanvas = /** @type {HTMLCanvasElement} */ (root.querySelector('.overlay'));
    this.#stage = this.#find('.stage');
    this.#badge = this.#find('.badge');
    this.#note = this.#find('.note');
    this.#spoken = this.#find('.spoken');
    this.#legend = this.#find('.legend');
    this.#find('.legend-scale').style.background = gradient();
    this.#health = ['.rate', '.latency', '.dropped', '.drops'].map((name) => this.#find(name));
    this.#overlay = new Overlay(this.#overlayCanvas, this.#video);
    this.#card = new Card(root, host);
    this.#readout = new Readout(root, on.pick, signal);
    this.#barLabels = reading.labels;
    this.#bars = new Bars(this.#find('.bars'), reading.labels);
    this.#timeline = new Timeline(/** @type {HTMLCanvasElement} */ (root.querySelector('.timeline')), reading);
    this.controls = new Controls(root, on, signal);
    this.#listen(on, signal);
  }

  /** @param {import('./states.js').State} state */
  show(state) {
    this.#phase = state.phase;
    const focused = this.#root.activeElement;
    this.#card.show(state);
    this.controls.show(state.phase);
    if (focused) this.#keepFocus(focused);
    this.#badge.hidden = state.phase !== 'live';
    const { title, cause, next } = wordsFor(state);
    this.#say([title, cause, next].filter((s) => s !== '').join(' '));
    if (state.phase === 'live') this.#timeline.start();
    else this.#timeline.stop();
  }

  /** @param {MediaStream | undefined} stream */
  showStream(stream) {
    this.#video.srcObject = stream ?? null;
  }

  /**
   * Draws what is now so.
   * @param {number} now milliseconds
   * @param {{mirror: boolean, attention: import('./attention.js').Show}} how
   */
  paint(now, { mirror, attention }) {
    const live = this.#phase === 'live';
    const reading = this.#reading;
    this.#stage.classList.toggle('mirrored', mirror);
    this.controls.showMirror(mirror);
    const faces = live ? reading.faces(now) : [];
    this.#overlay.draw(faces, { mirror, selected: reading.selected, labels: reading.labels, attention });
    this.#paintChoices(attention);
    this.#paintLegend(live ? reading.face(now)?.attention : undefined, attention, mirror);
    this.#overlayCanvas.classList.toggle('pickable', faces.length > 1);
    this.#paintPanel(live ? now : undefined, faces);
    this.#paintNote(now);
    this.#paintHealth(now);
    if (!live) this.#timeline.draw(now);
  }

  /** Ends what runs by itself. */
  release() {
    this.#timeline.stop();
    this.#card.release();
    this.showStream(undefined);
    this.#root.replaceChildren();
  }

  /** @param {import('./attention.js').Show} attention */
  #paintChoices(attention) {
    const { models, model, heads } = this.#reading;
    this.controls.listModels(models.map((m) => m.name), model?.name ?? '');
    this.controls.listAttention(model?.attention === true, heads, attention);
  }

  /** @param {import('./wire.js').Attention | undefined} told @param {import('./attention.js').Show} show @param {boolean} mirror */
  #paintLegend(told, show, mirror) {
    this.#legend.hidden = !told || show === 'off';
    if (!told || show === 'off') return;
    const name = attentionName(show === 'mean' ? show : Math.min(show, told.heads));
    const peak = peakWords(mapOf(told, show), told.width, told.height, mirror);
    this.#legend.setAttribute('aria-label', `${name}, strongest at the face’s ${peak}`);
  }

  /** @param {number | undefined} now while live @param {import('./wire.js').Face[]} faces */
  #paintPanel(now, faces) {
    const { labels, selected } = this.#reading;
    const face = now === undefined ? undefined : this.#reading.face(now);
    if (labels !== this.#barLabels) {
      this.#barLabels = labels;
      this.#bars.setLabels(labels);
    }
    this.#bars.show(now === undefined ? undefined : this.#reading.scores(now));
    this.#readout.show(face, this.#phase === 'live', labels);
    this.#readout.offer(faces.map((f) => f.id).sort((a, b) => a - b), selected);
  }

  /** @param {number} now */
  #paintNote(now) {
    const stream = this.#video.srcObject;
    const muted = stream instanceof MediaStream && stream.getVideoTracks()[0]?.muted;
    const note = this.#phase !== 'live' ? undefined : muted ? 'muted' : this.#reading.note(now);
    const text = note ? NOTES[note] : '';
    if (this.#note.textContent === text) return;
    this.#note.textContent = text;
    this.#note.hidden = text === '';
    if (text !== '') this.#say(text);
  }

  /** @param {number} now */
  #paintHealth(now) {
    const { rate, latency, dropped, reasons } = this.#reading.health.report(now);
    const on = this.#phase === 'live';
    const [rateField, latencyField, droppedField, drops] = this.#health;
    rateField.textContent = on ? rate.toFixed(0) : '–';
    latencyField.textContent = on && latency !== undefined ? latency.toFixed(0) : '–';
    droppedField.textContent = on ? String(dropped) : '–';
    drops.title = [TEXT.droppedTitle, ...Object.entries(reasons).map(([why, n]) => `${why}: ${n}`)].join('\n');
  }

  /** @param {string} text for those who listen */
  #say(text) {
    if (this.#spoken.textContent !== text) this.#spoken.textContent = text;
  }

  /** Gives the keyboard another place when its button has gone: Start gives way to Stop, Stop to Start. @param {Element} focused */
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
    const resized = new ResizeObserver(on.resize);
    resized.observe(this.#stage);
    signal.addEventListener('abort', () => resized.disconnect(), { once: true });
  }

  /** @param {string} selector @returns {HTMLElement} */
  #find(selector) {
    return /** @type {HTMLElement} */ (this.#root.querySelector(selector));
  }
}
