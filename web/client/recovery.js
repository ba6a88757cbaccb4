// Reacts when labels stop, before the browser notices: its ICE needs five seconds to detect a broken path.

import { LabelFallback } from './fallback.js';
import { StallDetector } from './stall.js';

const POLL_MS = 30; // first interval between two checks
const MAX_POLL_MS = 1000;
const UNANSWERED = 5; // packets sent with nothing received, and
// for this long: the path is broken. The server sends transport-wide congestion control feedback every 100 ms
const UNANSWERED_MS = 140;
const RESTART_MS = 2000; // first interval between two ICE restarts
const MAX_RESTART_MS = 16_000;
const MAX_LAG = 3; // messages: labels over HTTP may be this far ahead of a working channel

/**
 * @typedef {object} TrafficCounters
 * @property {number} sent video packets sent so far
 * @property {number} received bytes received so far, of any kind
 */

/**
 * @typedef {object} Connection
 * @property {import('./whip.js').WhipSession} session
 * @property {() => Promise<TrafficCounters>} traffic
 * @property {(signal: AbortSignal) => Promise<void>} restart restarts ICE; does not throw
 * @property {(text: string) => void} labels receives a message of labels over HTTP
 */

/** Watches the channel `labels` from its first message on. */
export class Recovery {
  #connection;
  #fallback;
  #stall = new StallDetector();
  #newest = -1; // highest sequence number received, on the channel or over HTTP
  #expected = true;
  /** @type {AbortController | undefined} ends the present watch */
  #watch;
  /** @type {AbortController | undefined} ends the present recovery */
  #recovering;

  /** @param {Connection} connection @param {AbortSignal} signal ends the watch */
  constructor(connection, signal) {
    this.#connection = connection;
    this.#fallback = new LabelFallback(connection.session, connection.labels);
    signal.addEventListener('abort', () => this.setExpected(false), { once: true });
  }

  /** Labels arrived on the channel. @param {number} seq */
  receivedOnChannel(seq) {
    if (seq < this.#newest - MAX_LAG || !this.#expected) return; // a delayed message
    this.#stall.receive(performance.now());
    this.#recovering?.abort();
    if (!this.#watch) void this.#watchForStall((this.#watch = new AbortController()).signal);
  }

  /** Labels arrived, on the channel or over HTTP. @param {number} seq */
  received(seq) {
    this.#newest = Math.max(this.#newest, seq);
  }

  /** Sets whether labels are expected. They are not while no picture is sent. @param {boolean} expected */
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
      // They are late. Traffic from now until the timeout tells whether anything arrives.
      const sight = { ...(await this.#connection.traffic()), at: performance.now() };
      await pause(Math.max(this.#stall.remaining(performance.now()), 0), signal);
      if (!signal.aborted && this.#stall.remaining(performance.now()) <= 0) await this.#recover(sight);
    }
  }

  /**
   * Runs until labels arrive on the channel again or are no longer expected.
   * @param {TrafficCounters & {at: number}} seen the last time that something was received
   */
  async #recover(seen) {
    const { signal } = (this.#recovering = new AbortController());
    let restart = new AbortController();
    signal.addEventListener('abort', () => {
      restart.abort();
      this.#fallback.close();
    }, { once: true });
    this.#fallback.open();
    let restartAt = 0;
    let interval = RESTART_MS;
    for (let ms = POLL_MS; !signal.aborted; ms = Math.min(1.5 * ms, MAX_POLL_MS)) {
      const traffic = await this.#connection.traffic();
      const at = performance.now();
      if (traffic.received !== seen.received) {
        seen = { ...traffic, at };
        restart.abort(); // the path works again, and a restart would only disturb it
      }
      const broken = traffic.sent - seen.sent >= UNANSWERED && at - seen.at >= UNANSWERED_MS;
      // If HTTP does not reach the server either, a restart is useless: the old path may work again when the network is
      // back.
      if (broken && this.#fallback.reached && at >= restartAt && !signal.aborted) {
        restartAt = at + interval;
        interval = Math.min(2 * interval, MAX_RESTART_MS);
        restart.abort();
        restart = new AbortController();
        void this.#connection.restart(restart.signal);
      }
      await pause(ms, signal);
    }
  }
}

/** @param {number} ms @param {AbortSignal} signal ends the pause early */
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
