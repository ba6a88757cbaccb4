// One bar per expression, for its probability.

import { colourOf } from './palette.js';
import { setText } from './settext.js';

const MANY = 12; // more bars than this scroll

export class Bars {
  #list;
  #language;
  /** @type {{row: HTMLElement, fill: HTMLElement, value: HTMLElement}[]} */
  #rows = [];
  #top = -1;

  /**
   * @param {HTMLElement} list
   * @param {readonly string[]} labels
   * @param {import('../words/language.js').Language} language
   */
  constructor(list, labels, language) {
    this.#list = list;
    this.#language = language;
    this.setLabels(labels);
  }

  /** @param {readonly string[]} labels in the order of the scores */
  setLabels(labels) {
    this.#rows = labels.map((label) => {
      const row = document.createElement('li');
      const name = span('name', this.#language.expression(label));
      name.title = name.textContent ?? ''; // long names are truncated
      const track = span('track');
      const fill = span('fill');
      const value = span('value');
      fill.style.backgroundColor = colourOf(label, labels);
      track.append(fill);
      row.append(name, track, value);
      return { row, fill, value };
    });
    this.#list.replaceChildren(...this.#rows.map((r) => r.row));
    const longest = Math.max(...labels.map((label) => label.length));
    this.#list.style.setProperty('--name', `max(76px, ${Math.min(longest, 16)} * 0.6em)`);
    const many = labels.length > MANY;
    this.#list.classList.toggle('many', many);
    if (many) this.#list.tabIndex = 0; // the keyboard can scroll it
    else this.#list.removeAttribute('tabindex');
    this.show();
  }

  /** @param {readonly number[]} [scores] 0..1; absent for empty bars */
  show(scores = []) {
    const top = scores.length > 0 ? scores.indexOf(Math.max(...scores)) : -1;
    this.#rows.forEach(({ row, fill, value }, i) => {
      // animating the width would cause a layout at each step
      fill.style.transform = `scaleX(${(scores[i] ?? 0).toFixed(3)})`;
      setText(value, scores[i] === undefined ? '–' : this.#language.percent(scores[i]));
      row.classList.toggle('top', i === top);
    });
    if (top !== this.#top) this.#follow(top);
    this.#top = top;
  }

  /** Scrolls a long list to the longest bar, unless the visitor uses the list. @param {number} top */
  #follow(top) {
    const list = this.#list;
    if (!this.#rows[top] || !list.classList.contains('many') || list.matches(':hover, :focus')) return;
    list.scrollTop = this.#rows[top].row.offsetTop - list.clientHeight / 2;
  }
}

/** @param {string} className @param {string} [text] */
function span(className, text = '') {
  const el = document.createElement('span');
  el.className = className;
  el.textContent = text;
  return el;
}
