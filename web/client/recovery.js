// What is done when labels stop, before the browser finds out that something is wrong: its ICE takes five seconds for that.

import { LabelFallback } from './fallback.js';
import { StallDetector } from './stall.js';

const POLL_MS = 30; // between two looks, at first
const MAX_POLL_MS = 1000;
const UNANSWERED = 5; // packets sent with nothing received, and
const UNANSWERED_MS = 140; // for so long: the path is gone. A server tells every 100 ms what came (transport-wide congestion control)
const RESTART_MS = 2000; // between two restarts of ICE, at first
const MAX_RESTART_MS = 16_000;
const MAX_LAG = 3; // messages: a detour may be so much ahead of a channel that works

/**
 * @typedef {object} TrafficCounters
 * @property {number} sent packets of video so far
 * @property {number} received bytes of any kind so far
 */

/**
 * @typedef {object} Connection
 * @property {import('./whip.js').WhipSession} resource
 * @property {() => Promise<TrafficCounters>} traffic
 * @property {(signal: AbortSignal) => Promise<void>} restart looks for another path to the server (ICE restart) until signal; it does not throw
 * @property {(text: string) => void} labels a message that came another way than by its channel
 */

/** Watches the channel `labels` from its first message on. */
export class Recovery {
  #connection;
  #fallback;
  #stall = new StallDetector();
  #newest = -1; // message, whichever way it came
  #expected = true;
  /** @type {AbortController | undefined} of the present watch */
  #watch;
  /** @type {AbortController | undefined} of the present silence */
  #recovering;

  /** @param {Connection} line @param {AbortSignal} signal its end */
  constructor(line, signal) {
    this.#connection = line;
    this.#fallback = new LabelFallback(line.resource, line.labels);
    signal.addEventListener('abort', () => this.setExpected(false), { once: true });
  }

  /** Labels came by their channel. @param {number} seq */
  receivedOnChannel(seq) {
    if (seq < this.#newest - MAX_LAG || !this.#expected) return; // one of those that were stuck, or were under way
    this.#stall.receive(performance.now());
    this.#recovering?.abort();
    if (!this.#watch) void this.#watchForStall((this.#watch = new AbortController()).signal);
  }

  /** Labels came, whichever way. @param {number} seq */
  received(seq) {
    this.#newest = Math.max(this.#newest, seq);
  }

  /** Whether labels are due: not while no picture is sent, nor after the end. @param {boolean} expected */
  setExpected(expected) {
    this.#expected = expected;
    this.#recovering?.abort();
    this.#watch?.abort();
    this.#watch = undefined;
    this.#stall = new StallDetector();
  }

  /** @param {AbortSignal} signal */
  async #watchForStall(signal) {
    while (!signal.aborted) {
      const left = this.#stall.remaining(performance.now());
      const early = left - this.#stall.timeout / 2;
      if (early > 0) {
        await pause(early, signal);
        continue;
      }
      // They are late. What comes from now on tells, when patience ends, whether anything does.
      const sight = { ...(await this.#connection.traffic()), at: performance.now() };
      await pause(Math.max(this.#stall.remaining(performance.now()), 0), signal);
      if (!signal.aborted && this.#stall.remaining(performance.now()) <= 0) await this.#recover(sight);
    }
  }

  /** Until labels come by their channel again, or are not due. @param {TrafficCounters & {at: number}} seen when something was received last */
  async #recover(seen) {
    const { signal } = (this.#recovering = new AbortController());
    let restart = new AbortController();
    signal.addEventListener('abort', () => {
      restart.abort();
      this.#fallback.close();
    }, { once: true });
    this.#fallback.open();
    let restartAt = 0;
    let again = RESTART_MS;
    for (let ms = POLL_MS; !signal.aborted; ms = Math.min(1.5 * ms, MAX_POLL_MS)) {
      const traffic = await this.#connection.traffic();
      const at = performance.now();
      if (traffic.received !== seen.received) {
        seen = { ...traffic, at };
        restart.abort(); // the path is back, and a new search would only interrupt it
      }
      const gone = traffic.sent - seen.sent >= UNANSWERED && at - seen.at >= UNANSWERED_MS;
      // Where nothing reaches the server a restart would not either, but may later, when the old path is back.
      if (gone && this.#fallback.reached && at >= restartAt && !signal.aborted) {
        restartAt = at + again;
        again = Math.min(2 * again, MAX_RESTART_MS);
        restart.abort();
        restart = new AbortController();
        void this.#connection.restart(restart.signal);
      }
      await pause(ms, signal);
    }
  }
}

/** @param {number} ms @param {AbortSignal} signal ends it sooner */
function pause(ms, signal) {
  return new Promise((/** @type {(value: void) => void} */ resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end, { once: true });
  });
}
