// Labels over HTTP while their channel is stuck. After an outage SCTP waits as long again before it sends the next message,
// since its retransmission timer doubles each time (RFC 9260, section 6.3.3), however small or stale what it repeats is.

import { readEvents } from './sse.js';
import { Failure } from './states.js';

const FIRST_MS = 1000; // a try that gives nothing in so long is given up: its connection may be stuck as well
const MOST_MS = 16_000;

export class Detour {
  #resource;
  #take;
  /** @type {AbortController | undefined} of the present one */
  #open;
  #reached = false;

  /**
   * @param {import('./whip.js').Resource} resource
   * @param {(text: string) => void} take a message of the channel `labels`
   */
  constructor(resource, take) {
    this.#resource = resource;
    this.#take = take;
  }

  /** Whether the server has answered over HTTP since it was opened. */
  get reached() {
    return this.#reached;
  }

  /** Begins to read, if it does not yet. */
  open() {
    if (this.#open) return;
    this.#reached = false;
    const open = (this.#open = new AbortController());
    void this.#try(open, FIRST_MS);
  }

  close() {
    this.#open?.abort();
    this.#open = undefined;
  }

  /** @param {AbortController} open @param {number} ms */
  async #try(open, ms) {
    const attempt = new AbortController();
    const end = () => attempt.abort();
    open.signal.addEventListener('abort', end, { once: true });
    let timer = setTimeout(end, ms);
    try {
      const events = await this.#resource.labels(attempt.signal);
      this.#reached ||= !open.signal.aborted;
      for await (const event of readEvents(events)) {
        if (event.type !== 'message') continue;
        clearTimeout(timer);
        ms = FIRST_MS;
        timer = setTimeout(end, ms);
        this.#take(event.data);
      }
    } catch (error) {
      // The connection says what is wrong with the session; without this way labels only come later.
      this.#reached ||= !open.signal.aborted && error instanceof Failure;
    }
    if (!attempt.signal.aborted) await new Promise((resolve) => attempt.signal.addEventListener('abort', resolve, { once: true }));
    clearTimeout(timer);
    open.signal.removeEventListener('abort', end);
    if (!open.signal.aborted) void this.#try(open, Math.min(2 * ms, MOST_MS));
  }
}
