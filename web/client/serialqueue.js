// What is done to a connection that may end meanwhile, in the order it was asked for, so that the server hears it in order.

/** @typedef {import('./peer.js').Peer} Peer */

export class Turns {
  #last = Promise.resolve();
  #strange;

  /** @param {(peer: Peer, error: Error) => void} strange hears of what failed */
  constructor(strange) {
    this.#strange = strange;
  }

  /**
   * Does things one after the other, after all that was asked before.
   * @param {Peer} peer
   * @param {(() => Promise<void>)[]} acts
   */
  take(peer, ...acts) {
    for (const act of acts) this.#last = this.#last.then(() => this.now(peer, act));
    return this.#last;
  }

  /**
   * Does something at once.
   * @param {Peer} peer
   * @param {() => Promise<void>} act
   */
  async now(peer, act) {
    try {
      await act();
    } catch (error) {
      this.#strange(peer, error instanceof Error ? error : new Error(String(error)));
    }
  }
}
