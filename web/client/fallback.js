// Labels over HTTP while their channel is stuck. After an outage SCTP waits as long again before it sends the next message,
// since its retransmission timer doubles each time (RFC 9260, section 6.3.3), however small or stale what it repeats is.

import { readServerSentEvents } from './sse.js';
import { Failure } from './states.js';

const FIRST_TIMEOUT_MS = 1000; // a try that gives nothing in so long is given up: its connection may be stuck as well
const MAX_TIMEOUT_MS = 16_000;

export class LabelFallback {
  #resource;
  #onmessage;
  /** @type {AbortController | undefined} of the present one */
  #current;
  #reached = false;

  /**
   * @param {import('./whip.js').WhipSession} resource
   * @param {(text: string) => void} take a message of the channel `labels`
   */
  constructor(resource, take) {
    this.#resource = resource;
    this.#onmessage = take;
  }

  /** Whether the server has answered over HTTP since it was opened. */
  get reached() {
    return this.#reached;
  }

  /** Begins to read, if it does not yet. */
  open() {
    if (this.#current) return;
    this.#reached = false;
    const open = (this.#current = new AbortController());
    void this.#attempt(open, FIRST_TIMEOUT_MS);
  }

  close() {
    this.#current?.abort();
    this.#current = undefined;
  }

  /** @param {AbortController} open @param {number} ms */
  async #attempt(open, ms) {
    const attempt = new AbortController();
    const end = () => attempt.abort();
    open.signal.addEventListener('abort', end, { once: true });
    let timer = setTimeout(end, ms);
    try {
      const events = await this.#resource.labels(attempt.signal);
      this.#reached ||= !open.signal.aborted;
      for await (const event of readServerSentEvents(events)) {
        if (event.type !== 'message') continue;
        clearTimeout(timer);
        ms = FIRST_TIMEOUT_MS;
        timer = setTimeout(end, ms);
        this.#onmessage(event.data);
      }
    } catch (error) {
      // The connection says what is wrong with the session; without this way labels only come later.
      this.#reached ||= !open.signal.aborted && error instanceof Failure;
    }
    if (!attempt.signal.aborted) await new Promise((resolve) => attempt.signal.addEventListener('abort', resolve, { once: true }));
    clearTimeout(timer);
    open.signal.removeEventListener('abort', end);
    if (!open.signal.aborted) void this.#attempt(open, Math.min(2 * ms, MAX_TIMEOUT_MS));
  }
}
