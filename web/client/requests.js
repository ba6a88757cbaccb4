// Requests on the channel `control`. The server answers each one (PROTOCOL.md §4).

import { Failure } from './states.js';
import { controlRequest } from './wire.js';

const TIMEOUT_MS = 5_000;

export class ControlRequests {
  #channel;
  #id = 0;
  /** @type {Map<number, {resolve: () => void, reject: (error: Error) => void}>} */
  #pending = new Map();

  /** @param {Pick<RTCDataChannel, 'send'>} channel */
  constructor(channel) {
    this.#channel = channel;
  }

  /**
   * Sends a request and waits for the server's answer.
   * @param {import('./wire.js').RequestType} type
   * @param {import('./wire.js').Options} [options] of the type `options`
   * @throws {Failure} refused, lost
   */
  async request(type, options) {
    const id = ++this.#id;
    const answered = new Promise((/** @type {(value: void) => void} */ resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
    });
    const timer = setTimeout(() => this.reject(id, new Failure('refused', `the server did not answer ${type}`)),
      TIMEOUT_MS);
    try {
      this.#channel.send(controlRequest(type, id, options));
      await answered;
    } finally {
      clearTimeout(timer);
      this.#pending.delete(id);
    }
  }

  /** The server did what request `id` asked. @param {number} id */
  resolve(id) {
    this.#pending.get(id)?.resolve();
  }

  /**
   * The server refused a request.
   * @param {number | undefined} id
   * @param {Failure} failure
   * @returns {boolean} whether the request is pending
   */
  reject(id, failure) {
    const waiting = id === undefined ? undefined : this.#pending.get(id);
    waiting?.reject(failure);
    return waiting !== undefined;
  }

  /** Rejects all pending requests. @param {Failure} failure */
  rejectAll(failure) {
    for (const { reject } of this.#pending.values()) reject(failure);
    this.#pending.clear();
  }
}
