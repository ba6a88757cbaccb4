// The client without a face, for those who draw for themselves.

import { Client } from './client.js';
import { whipEndpoint } from './endpoint.js';
import { Failure } from './states.js';

/**
 * Sends a picture to a Mindflow server and tells its labels:
 *
 *     const client = new MindflowClient({ src: 'https://HOST', stream });
 *     for await (const labels of client) draw(labels);
 *
 * The loop starts the session, and ends it when it is left. A loop that is slow misses messages, and goes on at the newest. It ends when the session
 * was stopped, and throws what ended it otherwise.
 */
export class MindflowClient {
  #client;
  #choice;
  #onstate;
  /** @type {import('./wire.js').Labels | undefined} the newest that was not taken yet */
  #newest;
  /** @type {(() => void) | undefined} */
  #wake;

  /** What the server said of itself and its models; undefined until then. @type {import('./wire.js').Hello | undefined} */
  hello;

  /**
   * @param {object} how
   * @param {string} how.src the server's address
   * @param {import('./credentials.js').Token} [how.token] that it asks for, or a function that gets one
   * @param {import('./supplied.js').Supplied} [how.stream] a stream, a playing `<video>`, or a picture or video file; without it, the camera
   * @param {import('./camera.js').Facing} [how.facing] of the camera
   * @param {string} [how.model] of the server's; without it, its default
   * @param {boolean} [how.attention] whether to tell where the network looks
   * @param {(state: import('./states.js').State) => void} [how.onstate] hears of each change
   */
  constructor({ src, token = '', stream, facing, model = '', attention = false, onstate }) {
    this.#onstate = onstate;
    this.#choice = stream ? { supplied: stream } : { facing };
    this.#client = new Client(whipEndpoint(new URL(src, document.baseURI).href).href, {
      state: (state) => {
        this.#onstate?.(state);
        this.#wake?.();
      },
      stream: () => {},
      labels: (message) => {
        this.#newest = message;
        this.#wake?.();
      },
      hello: (hello) => { this.hello = hello; },
      warning: (error) => console.warn('mindflow:', error.message),
    });
    this.#client.setToken(token);
    this.#client.setOptions({ model, attention });
  }

  /** Where it stands. */
  get state() {
    return this.#client.state;
  }

  /** Starts a session, if none runs. A loop over the labels does so by itself. */
  async start() {
    await this.#client.start(this.#choice);
  }

  /** Ends the session; loops over the labels end too. */
  stop() {
    this.#client.stop();
  }

  /** Stops sending the picture. */
  async pause() {
    await this.#client.pause();
  }

  /** Goes on after a pause. */
  async resume() {
    await this.#client.resume();
  }

  /**
   * The labels, as they come. One loop at a time.
   * @returns {AsyncGenerator<import('./wire.js').Labels, void, void>}
   */
  async *[Symbol.asyncIterator]() {
    void this.start();
    try {
      for (;;) {
        const message = this.#newest;
        this.#newest = undefined;
        const { phase, reason, detail } = this.state;
        if (message) yield message;
        else if (phase === 'failed') throw new Failure(reason ?? 'ended', detail);
        else if (phase === 'stopped') return;
        else await new Promise((/** @type {(value: void) => void} */ resolve) => { this.#wake = resolve; });
      }
    } finally {
      this.stop();
    }
  }
}
