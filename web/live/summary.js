// The session's summary, and its export buttons.

import { colourOf } from './palette.js';

const CHANGES = 4; // shown at most

/**
 * @typedef {object} SummaryHandlers
 * @property {(what: 'csv' | 'json' | 'png') => void} export
 */

export class Summary {
  #language;
  #root;
  #empty;
  #body;
  #time;
  #shares;
  #changes;

  /**
   * @param {ParentNode} scope that holds the summary of template.js
   * @param {SummaryHandlers} on
   * @param {import('../words/language.js').Language} language
   * @param {AbortSignal} signal ends the listeners
   */
  constructor(scope, on, language, signal) {
    const find = (/** @type {string} */ name) => /** @type {HTMLElement} */ (scope.querySelector(name));
    this.#language = language;
    this.#root = /** @type {HTMLDetailsElement} */ (scope.querySelector('.session'));
    this.#empty = find('.session-empty');
    this.#body = find('.session-body');
    this.#time = find('.session-time');
    this.#shares = find('.shares');
    this.#changes = find('.changes');
    for (const what of /** @type {const} */ (['csv', 'json', 'png'])) find(`.${what}`).addEventListener('click',
      () => on.export(what), { signal });
  }

  /** @param {import('./labels/sessionlog.js').SessionLog} log @param {readonly string[]} labels of the model */
  show(log, labels) {
    this.#empty.hidden = log.rows.length > 0;
    this.#body.hidden = log.rows.length === 0;
    if (!this.#root.open || log.rows.length === 0) return;
    const { phrases } = this.#language;
    const number = (/** @type {number} */ n) => this.#language.number(n);
    const seconds = Math.floor(log.duration / 1000);
    const changes = log.changes();
    const times = changes.reduce((sum, c) => sum + c.times, 0);
    this.#time.textContent = phrases.lasted(number(Math.floor(seconds / 60)), number(seconds % 60), number(times));
    this.#shares.replaceChildren(...log.shares().filter((s) => s.share >= 0.005).map((s) => this.#share(s, labels)));
    this.#changes.textContent = changes.slice(0, CHANGES)
      .map((c) => phrases.change(this.#name(c.from), this.#name(c.to), number(c.times))).join(' · ');
  }

  /** @param {import('./labels/sessionlog.js').Share} share @param {readonly string[]} labels */
  #share({ label, share }, labels) {
    const item = document.createElement('li');
    const swatch = document.createElement('span');
    swatch.className = 'swatch';
    if (label) swatch.style.backgroundColor = colourOf(label, labels);
    item.append(swatch, `${this.#name(label)} ${this.#language.percent(share)}`);
    return item;
  }

  /** @param {string} label */
  #name(label) {
    return label ? this.#language.expression(label) : this.#language.text.uncertain;
  }
}
