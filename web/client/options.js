// What the server is asked for beside its work: which model, and whether to say where the network looks.

/** @typedef {{model: string, attention: boolean}} RequestedOptions model: its name, or "" for the server's default */

export class SessionOptions {
  /** @type {RequestedOptions} */
  #wanted = { model: '', attention: false };
  /** What the server of the present connection does. @type {RequestedOptions | undefined} undefined until it said hello */
  #applied;
  #default = ''; // the model that it takes by itself

  /** @param {RequestedOptions} wanted here and in connections to come */
  set(wanted) {
    this.#wanted = wanted;
  }

  /**
   * A connection begins.
   * @param {string} endpoint of WHIP
   * @returns {string} the endpoint for a session with the model that is wanted
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
   * Asks for what is wanted and not yet done.
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
