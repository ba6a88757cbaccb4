// The client without a user interface, for pages that draw for themselves.

import { Client } from './client.js';
import { whipEndpoint } from './endpoint.js';
import { Failure } from './states.js';

/**
 * Sends a picture to a Mindflow server and yields its labels:
 *
 *     const client = new MindflowClient({ src: 'https://HOST', stream });
 *     for await (const labels of client) draw(labels);
 *
 * The loop starts the session, and ends it when the loop is left. A slow loop skips messages and goes on with the
 * newest. The loop ends when the session was stopped; it throws if the session ended for another reason.
 */
export class MindflowClient {
  #client;
  #choice;
  #onstate;
  /** @type {import('./wire.js').Labels | undefined} the newest message that was not yielded yet */
  #newest;
  /** @type {(() => void) | undefined} */
  #wake;

  /**
   * The server's description of itself and its models; undefined until it arrives.
   * @type {import('./wire.js').Hello | undefined}
   */
  hello;

  /**
   * @param {object} options
   * @param {string} options.src the server's address
   * @param {import('./credentials.js').Token} [options.token] for the server, or a function that returns one
   * @param {import('./supplied.js').Supplied} [options.stream] a stream, a playing `<video>`, or a picture or video
   *   file; default: the camera
   * @param {import('./camera.js').Facing} [options.facing] of the camera
   * @param {string} [options.model] one of the server's; default: the server's default
   * @param {boolean} [options.attention] whether to receive attention maps
   * @param {(state: import('./states.js').State) => void} [options.onstate] called at each change of the state
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

  /** The current state. */
  get state() {
    return this.#client.state;
  }

  /** Starts a session, unless one runs. A loop over the labels does so by itself. */
  async start() {
    await this.#client.start(this.#choice);
  }

  /** Ends the session, and with it loops over its labels. */
  stop() {
    this.#client.stop();
  }

  /** Stops sending the picture. */
  async pause() {
    await this.#client.pause();
  }

  /** Continues after a pause. */
  async resume() {
    await this.#client.resume();
  }

  /**
   * Yields labels as they arrive. One loop at a time.
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
