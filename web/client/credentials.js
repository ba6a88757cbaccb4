// Who a page is to its server: the token that it shows, and its ticket for a place (PROTOCOL.md §1.1, §1.2).

import { Failure } from './states.js';

/**
 * A token, or what gives one: it is called before each session and, with `refused`, once more when the server said no to the last one.
 * @typedef {string | ((how: {refused: boolean}) => string | Promise<string>)} Token
 */

const TICKET = 'Mindflow-Ticket';

export class Credentials {
  #origin;
  /** @type {Token} */
  #tokenSource = '';
  #token = '';

  /** What the server gave last; empty for none. */
  ticket = '';

  /** @param {string} endpoint of WHIP: token and ticket are shown at its origin and nowhere else */
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
   * fetch, with what the visitor has to show. Without `fresh` the request leaves before this returns, so that it still does while
   * the page is being closed.
   * @param {string} url
   * @param {RequestInit & {headers?: Record<string, string>}} init
   * @param {{fresh?: boolean, ticket?: boolean}} [how] fresh: ask for a token first; ticket: show the ticket, and keep a new one
   * @throws {Failure} unauthorized, when there is no token to be had; else what fetch throws
   */
  async fetch(url, init, { fresh = false, ticket = false } = {}) {
    if (fresh) await this.#renew(false);
    let response = await fetch(url, this.#authorize(url, init, ticket));
    if (response.status === 401 && (await this.#renew(true))) response = await fetch(url, this.#authorize(url, init, ticket));
    const issued = response.headers.get(TICKET);
    if (ticket && issued) this.ticket = issued;
    return response;
  }

  /** @param {string} url @param {RequestInit & {headers?: Record<string, string>}} init @param {boolean} ticket @returns {RequestInit} */
  #authorize(url, init, ticket) {
    if (new URL(url).origin !== this.#origin) return init;
    if (/[^!-~]/.test(this.#token)) throw new Failure('unauthorized', 'the token holds a space or a character beyond ASCII');
    /** @type {Record<string, string>} */
    const headers = { ...init.headers };
    if (this.#token) headers.Authorization = `Bearer ${this.#token}`;
    if (ticket && this.ticket) headers[TICKET] = this.ticket;
    return { ...init, headers };
  }

  /** @param {boolean} refused @returns {Promise<boolean>} whether there is a token that was not tried */
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
