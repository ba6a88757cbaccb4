// Runs operations on a connection in the order in which they were requested. The connection may end in the meantime.

/** @typedef {import('./peer.js').Peer} Peer */

export class SerialQueue {
  #last = Promise.resolve();
  #onerror;

  /** @param {(peer: Peer, error: Error) => void} onerror called for an operation that failed */
  constructor(onerror) {
    this.#onerror = onerror;
  }

  /**
   * Runs operations one after the other, after all earlier ones.
   * @param {Peer} peer
   * @param {(() => Promise<void>)[]} operations
   */
  add(peer, ...operations) {
    for (const operation of operations) this.#last = this.#last.then(() => this.run(peer, operation));
    return this.#last;
  }

  /**
   * Runs an operation at once.
   * @param {Peer} peer
   * @param {() => Promise<void>} operation
   */
  async run(peer, operation) {
    try {
      await operation();
    } catch (error) {
      this.#onerror(peer, error instanceof Error ? error : new Error(String(error)));
    }
  }
}
