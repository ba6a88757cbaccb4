// What is done when labels stop, before the browser finds out that something is wrong: its ICE takes five seconds for that.

import { Detour } from './fallback.js';
import { Silence } from './stall.js';

const LOOK_MS = 30; // between two looks, at first
const LOOK_MOST_MS = 1000;
const UNANSWERED = 5; // packets sent with nothing received, and
const UNANSWERED_MS = 140; // for so long: the path is gone. A server tells every 100 ms what came (transport-wide congestion control)
const AGAIN_MS = 2000; // between two restarts of ICE, at first
const AGAIN_MOST_MS = 16_000;
const RECENT = 3; // messages: a detour may be so much ahead of a channel that works

/**
 * @typedef {object} Traffic
 * @property {number} sent packets of video so far
 * @property {number} received bytes of any kind so far
 */

/**
 * @typedef {object} Line
 * @property {import('./whip.js').Resource} resource
 * @property {() => Promise<Traffic>} traffic
 * @property {(signal: AbortSignal) => Promise<void>} restart looks for another path to the server (ICE restart) until signal; it does not throw
 * @property {(text: string) => void} labels a message that came another way than by its channel
 */

/** Watches the channel `labels` from its first message on. */
export class Recovery {
  #line;
  #detour;
  #silence = new Silence();
  #newest = -1; // message, whichever way it came
  #expected = true;
  /** @type {AbortController | undefined} of the present watch */
  #watch;
  /** @type {AbortController | undefined} of the present silence */
  #trouble;

  /** @param {Line} line @param {AbortSignal} signal its end */
  constructor(line, signal) {
    this.#line = line;
    this.#detour = new Detour(line.resource, line.labels);
    signal.addEventListener('abort', () => this.expect(false), { once: true });
  }

  /** Labels came by their channel. @param {number} seq */
  heard(seq) {
    if (seq < this.#newest - RECENT || !this.#expected) return; // one of those that were stuck, or were under way
    this.#silence.heard(performance.now());
    this.#trouble?.abort();
    if (!this.#watch) void this.#follow((this.#watch = new AbortController()).signal);
  }

  /** Labels came, whichever way. @param {number} seq */
  came(seq) {
    this.#newest = Math.max(this.#newest, seq);
  }

  /** Whether labels are due: not while no picture is sent, nor after the end. @param {boolean} expected */
  expect(expected) {
    this.#expected = expected;
    this.#trouble?.abort();
    this.#watch?.abort();
    this.#watch = undefined;
    this.#silence = new Silence();
  }

  /** @param {AbortSignal} signal */
  async #follow(signal) {
    while (!signal.aborted) {
      const left = this.#silence.left(performance.now());
      const early = left - this.#silence.patience / 2;
      if (early > 0) {
        await pause(early, signal);
        continue;
      }
      // They are late. What comes from now on tells, when patience ends, whether anything does.
      const sight = { ...(await this.#line.traffic()), at: performance.now() };
      await pause(Math.max(this.#silence.left(performance.now()), 0), signal);
      if (!signal.aborted && this.#silence.left(performance.now()) <= 0) await this.#recover(sight);
    }
  }

  /** Until labels come by their channel again, or are not due. @param {Traffic & {at: number}} seen when something was received last */
  async #recover(seen) {
    const { signal } = (this.#trouble = new AbortController());
    let restart = new AbortController();
    signal.addEventListener('abort', () => {
      restart.abort();
      this.#detour.close();
    }, { once: true });
    this.#detour.open();
    let restartAt = 0;
    let again = AGAIN_MS;
    for (let ms = LOOK_MS; !signal.aborted; ms = Math.min(1.5 * ms, LOOK_MOST_MS)) {
      const traffic = await this.#line.traffic();
      const at = performance.now();
      if (traffic.received !== seen.received) {
        seen = { ...traffic, at };
        restart.abort(); // the path is back, and a new search would only interrupt it
      }
      const gone = traffic.sent - seen.sent >= UNANSWERED && at - seen.at >= UNANSWERED_MS;
      // Where nothing reaches the server a restart would not either, but may later, when the old path is back.
      if (gone && this.#detour.reached && at >= restartAt && !signal.aborted) {
        restartAt = at + again;
        again = Math.min(2 * again, AGAIN_MOST_MS);
        restart.abort();
        restart = new AbortController();
        void this.#line.restart(restart.signal);
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
