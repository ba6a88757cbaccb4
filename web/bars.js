// One bar for each expression's probability.

import { colourOf } from './palette.js';
import { expressionName, percent } from './words.js';

export class Bars {
  #list;
  /** @type {{row: HTMLElement, fill: HTMLElement, value: HTMLElement}[]} */
  #rows = [];

  /**
   * @param {HTMLElement} list
   * @param {readonly string[]} labels
   */
  constructor(list, labels) {
    this.#list = list;
    this.setLabels(labels);
  }

  /** @param {readonly string[]} labels in the order of the scores */
  setLabels(labels) {
    this.#rows = labels.map((label) => {
      const row = document.createElement('li');
      const name = span('name', expressionName(label));
      const track = span('track');
      const fill = span('fill');
      const value = span('value');
      fill.style.backgroundColor = colourOf(label);
      track.append(fill);
      row.append(name, track, value);
      return { row, fill, value };
    });
    this.#list.replaceChildren(...this.#rows.map((r) => r.row));
    this.show();
  }

  /** @param {readonly number[]} [scores] 0..1; without them the bars are empty */
  show(scores = []) {
    const top = scores.length > 0 ? scores.indexOf(Math.max(...scores)) : -1;
    this.#rows.forEach(({ row, fill, value }, i) => {
      fill.style.width = `${100 * (scores[i] ?? 0)}%`;
      value.textContent = scores[i] === undefined ? '–' : percent(scores[i]);
      row.classList.toggle('top', i === top);
    });
  }
}

/** @param {string} className @param {string} [text] */
function span(className, text = '') {
  const el = document.createElement('span');
  el.className = className;
  el.textContent = text;
  return el;
}
