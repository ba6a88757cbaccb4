// The reading in words, and the faces to choose from.

import { colourOf } from './palette.js';
import { expressionName, faceName, percent, TEXT } from './words.js';

export class Readout {
  #label;
  #confidence;
  #swatch;
  #faces;
  #shown = '';

  /**
   * @param {ParentNode} scope that holds the readout of template.js
   * @param {(id: number) => void} onpick
   * @param {AbortSignal} signal ends the listening
   */
  constructor(scope, onpick, signal) {
    const find = (/** @type {string} */ name) => /** @type {HTMLElement} */ (scope.querySelector(name));
    this.#label = find('.reading-label');
    this.#confidence = find('.reading-confidence');
    this.#swatch = find('.reading-swatch');
    this.#faces = find('.faces');
    this.#faces.addEventListener('click', (e) => {
      const button = e.target instanceof Element ? e.target.closest('button') : null;
      if (button) onpick(Number(button.value));
    }, { signal });
  }

  /**
   * @param {import('./wire.js').Face | undefined} face the selected one
   * @param {boolean} live
   * @param {readonly string[]} labels of the model
   */
  show(face, live, labels) {
    this.#swatch.hidden = !face;
    if (!face) {
      this.#label.textContent = live ? TEXT.nothing : TEXT.off;
      this.#confidence.textContent = live ? TEXT.looking : TEXT.waiting;
      return;
    }
    const name = expressionName(face.label);
    this.#swatch.style.backgroundColor = face.uncertain ? 'transparent' : colourOf(face.label, labels);
    this.#label.textContent = face.uncertain ? TEXT.uncertain : name;
    this.#confidence.textContent = face.uncertain
      ? `${name} is nearest, ${percent(face.confidence)}`
      : `${percent(face.confidence)} confident`;
  }

  /**
   * Offers the faces as buttons, when there is more than one.
   * @param {readonly number[]} ids
   * @param {number | undefined} selected
   */
  offer(ids, selected) {
    const key = `${ids} ${selected}`;
    if (key === this.#shown) return; // rebuilding would take the focus away
    this.#shown = key;
    this.#faces.hidden = ids.length < 2;
    const old = new Map([...this.#faces.querySelectorAll('button')].map((b) => [b.value, b]));
    const buttons = ids.map((id) => {
      const button = old.get(String(id)) ?? document.createElement('button');
      old.delete(String(id));
      button.type = 'button';
      button.value = String(id);
      button.textContent = faceName(id);
      button.setAttribute('aria-pressed', String(id === selected));
      return button;
    });
    for (const gone of old.values()) gone.remove();
    buttons.forEach((button, i) => {
      if (this.#faces.children[i] !== button) this.#faces.insertBefore(button, this.#faces.children[i] ?? null);
    });
  }
}
