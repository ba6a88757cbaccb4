// Chooses the texts of a language, and formats numbers and times for a locale.

import { expressionKey } from './expressions.js';
import { EN } from './en.js';
import { FR } from './fr.js';

/** @typedef {import('./en.js').StateText} StateText */

/** The available languages, the default first. @type {Record<string, import('./en.js').Texts>} */
const LANGUAGES = { en: EN, fr: FR };

export class Language {
  /** The requested locale. */
  requested;
  /** The BCP 47 tag that numbers are formatted for. */
  locale;
  /** The language of the texts: "en" or "fr". */
  code;
  #all;
  #percent;
  #formats = new Map();

  /** @param {string} [locale] BCP 47; an invalid one, or one without texts, gets English */
  constructor(locale = 'en') {
    this.requested = locale;
    this.locale = usable(locale);
    const language = this.locale.split('-')[0].toLowerCase();
    this.code = Object.hasOwn(LANGUAGES, language) ? language : 'en';
    this.#all = LANGUAGES[this.code];
    this.#percent = new Intl.NumberFormat(this.locale, { style: 'percent' });
  }

  /** Short texts, by name. */
  get text() {
    return this.#all.text;
  }

  /** Texts with parameters, which are strings formatted for the locale. */
  get phrases() {
    return this.#all;
  }

  /**
   * Returns the text of a state.
   * @param {import('../client/states.js').State} state
   * @returns {StateText}
   */
  wordsFor({ phase, reason, ahead, supplied }) {
    const { phases, failures } = this.#all;
    if (phase === 'failed') return { ...phases.failed, ...(reason && failures[reason]) };
    if (phase === 'reconnecting' && reason === 'shutdown') {
      return { ...phases.reconnecting, title: failures.shutdown.title, cause: failures.shutdown.cause };
    }
    if (phase === 'full' && ahead !== undefined) {
      return { title: phases.full.title, cause: this.#all.queue(ahead, this.number(ahead)), next: this.#all.queueNext };
    }
    return supplied ? { ...phases[phase], ...this.#all.supplied[phase] } : phases[phase];
  }

  /** @param {string} label @returns {string} its displayed name */
  expression(label) {
    const { expressions } = this.#all;
    const name = expressionKey(label);
    if (Object.hasOwn(expressions, name)) return expressions[name];
    return label.charAt(0).toUpperCase() + label.slice(1).replaceAll('_', ' ');
  }

  /** @param {number} fraction */
  percent(fraction) {
    return this.#percent.format(fraction);
  }

  /** @param {number} value @param {number} [digits] after the decimal point */
  number(value, digits = 0) {
    let format = this.#formats.get(digits);
    if (!format) {
      format = new Intl.NumberFormat(this.locale, { minimumFractionDigits: digits, maximumFractionDigits: digits });
      this.#formats.set(digits, format);
    }
    return format.format(value);
  }

  /** Formats a time of day. @param {Date} at */
  time(at) {
    return at.toLocaleTimeString(this.locale);
  }

  /** @param {number} seconds until the next attempt @param {number} [attempt] */
  countdown(seconds, attempt) {
    const when = seconds > 0 ? this.#all.countdown(this.number(seconds)) : this.#all.trying;
    return attempt ? this.#all.attempt(this.number(attempt), when) : when;
  }

  /** Returns the name of an attention mode. @param {'off' | 'mean' | number} show a head's number from 1 */
  attention(show) {
    const { off, mean, head } = this.#all.attention;
    if (show === 'off') return off;
    return show === 'mean' ? mean : head(this.number(show));
  }

  /** Returns the tag of a small face, without the confidence. @param {import('../client/wire.js').Face} face */
  shortTag(face) {
    return face.uncertain ? this.text.uncertain : this.expression(face.label);
  }

  /** Returns the tag of a face. @param {import('../client/wire.js').Face} face */
  tag(face) {
    const value = `${this.expression(face.label)} ${this.percent(face.confidence)}`;
    return face.uncertain ? `${this.text.uncertain} · ${value}?` : value;
  }
}

/** @param {string} locale */
function usable(locale) {
  try {
    return Intl.getCanonicalLocales(locale)[0] ?? 'en';
  } catch {
    return 'en';
  }
}
