// The attributes of <mindflow-live>, each with a property.

import { attentionMode } from './attention.js';

/** @typedef {'live' | 'off'} Overlay */
/** @typedef {'live' | 'exact'} Timing */

export class Attributes extends HTMLElement {
  /** @type {import('../client/credentials.js').Token | undefined} */
  #token;

  /** Whether the camera faces away from the visitor, as a phone's rear one does, or the source is supplied. */
  looksAway = false;

  /** Called when a property without an attribute changes. */
  changed() {}

  /**
   * The server's address (attribute `src`; default: the address of this module). It is read when the element enters the
   * document.
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
   * The token for the server, or a function that returns one. It is called before each session, and once more with
   * `{refused: true}` if the server refused the token. The property is not reflected to the attribute `token`, which is
   * read if the property was not set.
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
   * Whether the picture is mirrored (attribute `mirror`: "on" or "off"; default: on, unless the camera faces away from
   * the visitor or the source is not a camera). Boxes are mirrored too, text is not.
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
   * Which camera is opened (attribute `facing`): "user" (default) or "environment", a phone's rear camera. It may be
   * changed while live.
   * @type {import('../client/camera.js').Facing}
   */
  get facing() {
    return this.getAttribute('facing') === 'environment' ? 'environment' : 'user';
  }

  set facing(facing) {
    this.setAttribute('facing', facing);
  }

  /**
   * The number of faces to show, the largest first (attribute `max-faces`; default: all). Events contain all faces.
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
   * What is drawn over the picture (attribute `overlay`): "live" (default) for boxes and labels, or "off".
   * @type {Overlay}
   */
  get overlay() {
    return this.getAttribute('overlay') === 'off' ? 'off' : 'live';
  }

  set overlay(overlay) {
    this.setAttribute('overlay', overlay);
  }

  /**
   * When the picture is shown (attribute `timing`): "live" (default) for at once, with boxes moved to the faces'
   * expected positions, or "exact" for later, together with its own labels.
   * @type {Timing}
   */
  get timing() {
    return this.getAttribute('timing') === 'exact' ? 'exact' : 'live';
  }

  set timing(timing) {
    this.setAttribute('timing', timing);
  }

  /**
   * The language of texts and number formats, as a BCP 47 tag (attribute `locale`; default: the nearest `lang`
   * attribute, else the browser's language). Texts exist in English and French; other languages get English.
   * @type {string}
   */
  get locale() {
    return this.getAttribute('locale') || this.closest('[lang]')?.getAttribute('lang') || navigator.language || 'en';
  }

  set locale(locale) {
    this.setAttribute('locale', locale);
  }

  /**
   * Whether the element starts without a click when it enters the document (attribute `autostart`). The browser still
   * asks for permission to use the camera. The page is then responsible for telling people what is sent and inferred.
   * @type {boolean}
   */
  get autostart() {
    return this.hasAttribute('autostart');
  }

  set autostart(on) {
    this.toggleAttribute('autostart', on);
  }

  /**
   * The model to use (attribute `model`; default: the server's default). The server names the available ones.
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
   * The attention map to show (attribute `attention`): "off" (default), "mean" of the heads, or a head's number from 1.
   * @type {string}
   */
  get attention() {
    return String(attentionMode(this.getAttribute('attention')));
  }

  set attention(show) {
    this.setAttribute('attention', show);
  }

  /**
   * The network path of later connections (attribute `route`): "any" (default), or "relay" to use only the server's
   * TURN, for tests.
   * @type {'any' | 'relay'}
   */
  get route() {
    return this.getAttribute('route') === 'relay' ? 'relay' : 'any';
  }

  set route(route) {
    this.setAttribute('route', route);
  }
}
