// The selected face's label in words.

import { colourOf } from './palette.js';
import { setText } from './settext.js';

export class CurrentLabel {
  #language;
  #label;
  #confidence;
  #swatch;

  /**
   * @param {ParentNode} scope that holds the label of template.js
   * @param {import('../words/language.js').Language} language
   */
  constructor(scope, language) {
    const find = (/** @type {string} */ name) => /** @type {HTMLElement} */ (scope.querySelector(name));
    this.#language = language;
    this.#label = find('.reading-label');
    this.#confidence = find('.reading-confidence');
    this.#swatch = find('.reading-swatch');
  }

  /**
   * @param {import('../client/wire.js').Face | undefined} face the selected one
   * @param {boolean} live
   * @param {readonly string[]} labels of the model
   */
  show(face, live, labels) {
    const { text, phrases } = this.#language;
    this.#swatch.hidden = !face;
    if (!face) {
      setText(this.#label, live ? text.nothing : text.off);
      setText(this.#confidence, live ? text.looking : text.waiting);
      return;
    }
    const name = this.#language.expression(face.label);
    this.#swatch.style.backgroundColor = face.uncertain ? 'transparent' : colourOf(face.label, labels);
    setText(this.#label, face.uncertain ? text.uncertain : name);
    const share = this.#language.percent(face.confidence);
    setText(this.#confidence, face.uncertain ? phrases.nearest(name, share) : phrases.confident(share));
  }
}
