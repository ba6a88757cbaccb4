// A page's credentials: its access token and its ticket for the queue (PROTOCOL.md §1.1, §1.2).

import { Failure } from './states.js';

/**
 * A token, or a function that returns one. It is called before each session, and once more with `refused` if the server
 * refused the token.
 * @typedef {string | ((how: {refused: boolean}) => string | Promise<string>)} Token
 */

const TICKET = 'Mindflow-Ticket';

export class Credentials {
  #origin;
  /** @type {Token} */
  #tokenSource = '';
  #token = '';

  /** The ticket that the server issued last; empty for none. */
  ticket = '';

  /** @param {string} endpoint of WHIP: token and ticket are sent to its origin only */
  constructor(endpoint) {
    this.#origin = new URL(endpoint).origin;
  }

  /** @param {Token} token empty for none */
  setToken(token) {
    if (token === this.#tokenSource) return;
    this.#tokenSource = token;
    this.#token = typeof token === 'string' ? token.trim() : '';
  }

  /**
   * Calls fetch with the credentials. Without `fresh` the request is sent before this returns, so that it also leaves
   * while the page is being closed.
   * @param {string} url
   * @param {RequestInit & {headers?: Record<string, string>}} init
   * @param {{fresh?: boolean, ticket?: boolean}} [how] fresh: call the token function first; ticket: send the ticket,
   *   and keep a new one
   * @throws {Failure} unauthorized, if there is no token; else what fetch throws
   */
  async fetch(url, init, { fresh = false, ticket = false } = {}) {
    if (fresh) await this.#renew(false);
    let response = await fetch(url, this.#authorize(url, init, ticket));
    if (response.status === 401 && (await this.#renew(true))) {
      response = await fetch(url, this.#authorize(url, init, ticket));
    }
    const issued = response.headers.get(TICKET);
    if (ticket && issued) this.ticket = issued;
    return response;
  }

  /**
   * @param {string} url
   * @param {RequestInit & {headers?: Record<string, string>}} init
   * @param {boolean} ticket
   * @returns {RequestInit}
   */
  #authorize(url, init, ticket) {
    if (new URL(url).origin !== this.#origin) return init;
    if (/[^!-~]/.test(this.#token)) {
      throw new Failure('unauthorized', 'the token holds a space or a character beyond ASCII');
    }
    /** @type {Record<string, string>} */
    const headers = { ...init.headers };
    if (this.#token) headers.Authorization = `Bearer ${this.#token}`;
    if (ticket && this.ticket) headers[TICKET] = this.ticket;
    return { ...init, headers };
  }

  /** @param {boolean} refused @returns {Promise<boolean>} whether there is a new token */
  async #renew(refused) {
    if (typeof this.#tokenSource !== 'function') return false;
    const before = this.#token;
    try {
      this.#token = String((await this.#tokenSource({ refused })) ?? '').trim();
    } catch (error) {
      throw new Failure('unauthorized', error instanceof Error ? error.message : String(error));
    }
    return this.#token !== before;
  }
}
