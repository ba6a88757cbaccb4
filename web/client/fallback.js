// Labels over HTTP while their data channel is stuck. After an outage SCTP waits for its retransmission timer, which
// doubles each time (RFC 9260, section 6.3.3), before it sends anything new.

import { readServerSentEvents } from './sse.js';
import { Failure } from './states.js';

const FIRST_TIMEOUT_MS = 1000; // an attempt without a message is aborted: its connection may be stuck too
const MAX_TIMEOUT_MS = 16_000;

export class LabelFallback {
  #session;
  #onmessage;
  /** @type {AbortController | undefined} ends the present run */
  #current;
  #reached = false;

  /**
   * @param {import('./whip.js').WhipSession} session
   * @param {(text: string) => void} onmessage receives messages of the channel `labels`
   */
  constructor(session, onmessage) {
    this.#session = session;
    this.#onmessage = onmessage;
  }

  /** Whether the server has answered over HTTP since `open`. */
  get reached() {
    return this.#reached;
  }

  /** Starts to read, unless it reads already. */
  open() {
    if (this.#current) return;
    this.#reached = false;
    const run = (this.#current = new AbortController());
    void this.#attempt(run, FIRST_TIMEOUT_MS);
  }

  close() {
    this.#current?.abort();
    this.#current = undefined;
  }

  /** @param {AbortController} run @param {number} ms timeout of this attempt */
  async #attempt(run, ms) {
    const attempt = new AbortController();
    const end = () => attempt.abort();
    run.signal.addEventListener('abort', end, { once: true });
    let timer = setTimeout(end, ms);
    try {
      const events = await this.#session.labels(attempt.signal);
      this.#reached ||= !run.signal.aborted;
      for await (const event of readServerSentEvents(events)) {
        if (event.type !== 'message') continue;
        clearTimeout(timer);
        ms = FIRST_TIMEOUT_MS;
        timer = setTimeout(end, ms);
        this.#onmessage(event.data);
      }
    } catch (error) {
      // The connection reports what is wrong with the session. Without this stream labels only arrive later.
      this.#reached ||= !run.signal.aborted && error instanceof Failure;
    }
    if (!attempt.signal.aborted) {
      await new Promise((resolve) => attempt.signal.addEventListener('abort', resolve, { once: true }));
    }
    clearTimeout(timer);
    run.signal.removeEventListener('abort', end);
    if (!run.signal.aborted) void this.#attempt(run, Math.min(2 * ms, MAX_TIMEOUT_MS));
  }
}
