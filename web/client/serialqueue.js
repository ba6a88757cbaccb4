// What is done to a connection that may end meanwhile, in the order it was asked for, so that the server hears it in order.

/** @typedef {import('./peer.js').Peer} Peer */

export class SerialQueue {
  #last = Promise.resolve();
  #onerror;

  /** @param {(peer: Peer, error: Error) => void} strange hears of what failed */
  constructor(strange) {
    this.#onerror = strange;
  }

  /**
   * Does things one after the other, after all that was asked before.
   * @param {Peer} peer
   * @param {(() => Promise<void>)[]} acts
   */
  add(peer, ...acts) {
    for (const act of acts) this.#last = this.#last.then(() => this.run(peer, act));
    return this.#last;
  }

  /**
   * Does something at once.
   * @param {Peer} peer
   * @param {() => Promise<void>} act
   */
  async run(peer, act) {
    try {
      await act();
    } catch (error) {
      this.#onerror(peer, error instanceof Error ? error : new Error(String(error)));
    }
  }
}
