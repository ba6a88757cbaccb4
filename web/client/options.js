// The options of sessions: the model, and whether attention maps are sent.

/** @typedef {{model: string, attention: boolean}} RequestedOptions model: its name; empty for the server's default */

export class SessionOptions {
  /** @type {RequestedOptions} */
  #wanted = { model: '', attention: false };
  /** The options that the present connection uses. @type {RequestedOptions | undefined} undefined before its hello */
  #applied;
  #default = ''; // name of the server's default model

  /** @param {RequestedOptions} wanted for this connection and later ones */
  set(wanted) {
    this.#wanted = wanted;
  }

  /**
   * Starts a connection.
   * @param {string} endpoint of WHIP
   * @returns {string} the endpoint with the requested model
   */
  sessionUrl(endpoint) {
    this.#applied = undefined;
    const url = new URL(endpoint);
    if (this.#wanted.model) url.searchParams.set('model', this.#wanted.model);
    return url.href;
  }

  /** @param {import('./wire.js').Hello} hello */
  receiveHello({ model, models }) {
    this.#default = (models?.[0] ?? model).name;
    this.#applied = { model: model.name, attention: false };
  }

  /**
   * Requests the options that the connection does not use yet.
   * @param {{request: (type: 'options', options: import('./wire.js').Options) => Promise<void>}} peer
   * @throws {Error} refused, lost
   */
  async apply(peer) {
    const before = this.#applied;
    if (!before) return;
    const now = { model: this.#wanted.model || this.#default, attention: this.#wanted.attention };
    const options = {
      ...(now.model !== before.model && { model: now.model }),
      ...(now.attention !== before.attention && { attention: now.attention }),
    };
    if (Object.keys(options).length === 0) return;
    this.#applied = now;
    try {
      await peer.request('options', options);
    } catch (error) {
      if (this.#applied === now) this.#applied = before;
      throw error;
    }
  }
}
