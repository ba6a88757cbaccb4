// What the server is asked for beside its work: which model, and whether to say where the network looks.

/** @typedef {{model: string, attention: boolean}} Wish model: its name, or "" for the server's default */

export class Wishes {
  /** @type {Wish} */
  #wanted = { model: '', attention: false };
  /** What the server of the present connection does. @type {Wish | undefined} undefined until it said hello */
  #done;
  #default = ''; // the model that it takes by itself

  /** @param {Wish} wanted here and in connections to come */
  want(wanted) {
    this.#wanted = wanted;
  }

  /**
   * A connection begins.
   * @param {string} endpoint of WHIP
   * @returns {string} the endpoint for a session with the model that is wanted
   */
  begin(endpoint) {
    this.#done = undefined;
    const url = new URL(endpoint);
    if (this.#wanted.model) url.searchParams.set('model', this.#wanted.model);
    return url.href;
  }

  /** @param {import('./wire.js').Hello} hello */
  greet({ model, models }) {
    this.#default = (models?.[0] ?? model).name;
    this.#done = { model: model.name, attention: false };
  }

  /**
   * Asks for what is wanted and not yet done.
   * @param {{request: (type: 'options', options: import('./wire.js').Options) => Promise<void>}} peer
   * @throws {Error} refused, lost
   */
  async settle(peer) {
    const before = this.#done;
    if (!before) return;
    const now = { model: this.#wanted.model || this.#default, attention: this.#wanted.attention };
    const options = {
      ...(now.model !== before.model && { model: now.model }),
      ...(now.attention !== before.attention && { attention: now.attention }),
    };
    if (Object.keys(options).length === 0) return;
    this.#done = now;
    try {
      await peer.request('options', options);
    } catch (error) {
      if (this.#done === now) this.#done = before;
      throw error;
    }
  }
}
