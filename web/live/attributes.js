// The attributes of <mindflow-live>, each with a property of the same meaning.

import { attentionMode } from './attention.js';

/** @typedef {'live' | 'off'} Overlay */
/** @typedef {'live' | 'exact'} Timing */

export class Attributes extends HTMLElement {
  /** @type {import('../client/credentials.js').Token | undefined} */
  #token;

  /** Of the camera, from the visitor: a phone's rear one; or of a picture that was given. */
  looksAway = false;

  /** Hears that a property changed which is not an attribute. */
  changed() {}

  /**
   * The server's address (attribute `src`; default: where this module came from). It is read when the element enters the document.
   * @type {string}
   */
  get src() {
    const own = this.getAttribute('src');
    return own === null ? new URL('.', import.meta.url).href : new URL(own, document.baseURI).href;
  }

  set src(address) {
    this.setAttribute('src', address);
  }

  /**
   * The token that the server asks for, or a function that gets one: it is called before each session and, with `{refused: true}`, once
   * more when the server said no. The property is not written to the attribute `token`, but read from there where it was not set.
   * @type {import('../client/credentials.js').Token}
   */
  get token() {
    return this.#token ?? this.getAttribute('token') ?? '';
  }

  set token(token) {
    this.#token = token;
    this.changed();
  }

  /**
   * Whether the picture is shown as in a mirror (attribute `mirror`: "on" or "off"; default: as a mirror, unless the camera looks away
   * from the visitor or the picture is not a camera's). Boxes follow, text stays readable.
   * @type {boolean}
   */
  get mirror() {
    const chosen = this.getAttribute('mirror');
    return chosen === null ? !this.looksAway : chosen !== 'off';
  }

  set mirror(on) {
    this.setAttribute('mirror', on ? 'on' : 'off');
  }

  /**
   * Which camera is opened (attribute `facing`): "user" (default) or "environment", a phone's rear one. It may be changed while live.
   * @type {import('../client/camera.js').Facing}
   */
  get facing() {
    return this.getAttribute('facing') === 'environment' ? 'environment' : 'user';
  }

  set facing(facing) {
    this.setAttribute('facing', facing);
  }

  /**
   * How many faces are shown at most, the largest first (attribute `max-faces`; default: all). Events tell of all.
   * @type {number}
   */
  get maxFaces() {
    const most = Number(this.getAttribute('max-faces') ?? NaN);
    return Number.isInteger(most) && most > 0 ? most : Infinity;
  }

  set maxFaces(most) {
    if (Number.isFinite(most)) this.setAttribute('max-faces', String(most));
    else this.removeAttribute('max-faces');
  }

  /**
   * What is drawn over the picture (attribute `overlay`): "live" (default), boxes and labels as they come; "off", nothing.
   * @type {Overlay}
   */
  get overlay() {
    return this.getAttribute('overlay') === 'off' ? 'off' : 'live';
  }

  set overlay(overlay) {
    this.setAttribute('overlay', overlay);
  }

  /**
   * When the picture is shown (attribute `timing`): "live" (default), as it comes, with boxes moved to where faces should be in it by now; or
   * "exact", later, with the labels that belong to it.
   * @type {Timing}
   */
  get timing() {
    return this.getAttribute('timing') === 'exact' ? 'exact' : 'live';
  }

  set timing(timing) {
    this.setAttribute('timing', timing);
  }

  /**
   * The language of texts and the way of numbers, as a BCP 47 tag (attribute `locale`; default: that of the nearest `lang` attribute,
   * else the browser's). There are texts in English and French; others get English.
   * @type {string}
   */
  get locale() {
    return this.getAttribute('locale') || this.closest('[lang]')?.getAttribute('lang') || navigator.language || 'en';
  }

  set locale(locale) {
    this.setAttribute('locale', locale);
  }

  /**
   * Whether it starts when it enters the document (attribute `autostart`), without a click. The browser still asks for the camera where it
   * was not allowed before; telling people what is sent and inferred is then the page's.
   * @type {boolean}
   */
  get autostart() {
    return this.hasAttribute('autostart');
  }

  set autostart(on) {
    this.toggleAttribute('autostart', on);
  }

  /**
   * The model to read with (attribute `model`; default: the server's, which says which there are).
   * @type {string}
   */
  get model() {
    return this.getAttribute('model') ?? '';
  }

  set model(name) {
    if (name) this.setAttribute('model', name);
    else this.removeAttribute('model');
  }

  /**
   * Which map of where the network looks is shown (attribute `attention`): "off" (default), "mean" of its heads, or a head's number from 1.
   * @type {string}
   */
  get attention() {
    return String(attentionMode(this.getAttribute('attention')));
  }

  set attention(show) {
    this.setAttribute('attention', show);
  }

  /**
   * How connections to come find the server (attribute `route`): by "any" way (default), or by "relay", its TURN, alone, to test it.
   * @type {'any' | 'relay'}
   */
  get route() {
    return this.getAttribute('route') === 'relay' ? 'relay' : 'any';
  }

  set route(route) {
    this.setAttribute('route', route);
  }
}
