// The client: picture and connection as one small state machine (states.js). It owns both and lets go
// of both in `stopped` and `failed`.

import { backoff, MAX_ATTEMPTS } from './backoff.js';
import { Peer } from './peer.js';
import { VideoSource } from './videosource.js';
import { SendTimes } from './sendtimes.js';
import { Failure, isTransient, endedForInactivity } from './states.js';
import { SerialQueue } from './serialqueue.js';
import { Credentials } from './credentials.js';
import { pollQueue, storeTicket, leaveQueue, takeTicket } from './waiting.js';
import { SessionOptions } from './options.js';

const STABLE_MS = 10_000; // a connection that stood this long starts the back-off anew

/**
 * @typedef {object} ClientHandlers
 * @property {(state: import('./states.js').State) => void} state
 * @property {(stream: MediaStream | undefined) => void} stream the picture came, changed or went
 * @property {(message: import('./wire.js').Labels) => void} labels
 * @property {(message: import('./wire.js').Hello) => void} hello
 * @property {(error: Error) => void} warning something odd that does not end the session
 */

export class Client {
  // static after construction
  #endpoint;
  #on;
  #config;
  #credentials;
  #options = new SessionOptions();
  #operations;
  #sendTimes = new SendTimes();

  // of the present run, from start to stop
  /** @type {AbortController | undefined} */
  #run;
  #source;
  /** @type {Peer | undefined} */
  #peer;
  /** @type {Peer | undefined} one whose server has not said yet that it goes on */
  #resuming;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #retry;
  #attempt = 0;
  #liveSince = 0;
  /** @type {import('./states.js').State} */
  #state = { phase: 'idle' };

  /**
   * @param {string} endpoint of WHIP
   * @param {ClientHandlers} on
   * @param {() => RTCConfiguration} [config] asked for at each connection: see peer.js
   */
  constructor(endpoint, on, config) {
    this.#endpoint = endpoint;
    this.#on = on;
    this.#config = config;
    this.#credentials = new Credentials(endpoint);
    this.#operations = new SerialQueue((peer, error) => {
      if (this.#peer === peer) on.warning(error); // that one ended is told by `lost`
    });
    this.#source = new VideoSource({ stream: on.stream, failed: (run, error) => this.#fail(run, error), ended: () => this.stop() });
  }

  get state() {
    return this.#state;
  }

  /** Whether the picture is drawn by this page, and so stands still while nobody sees it. */
  get drawn() {
    return this.#source.drawn;
  }

  /** The camera in use; empty when there is none. */
  get deviceId() {
    return this.#source.deviceId;
  }

  /**
   * Asks for the camera, or opens what was given, and connects. It does nothing while a run is on.
   * @param {import('./videosource.js').SourceChoice} [choice]
   */
  async start(choice = {}) {
    if (this.#run) return;
    const run = (this.#run = new AbortController());
    this.#attempt = 0;
    this.#sendTimes.open();
    this.#credentials.ticket ||= takeTicket(this.#endpoint);
    this.#set({ phase: choice.supplied ? 'connecting' : 'asking', supplied: choice.supplied !== undefined });
    if (await this.#source.open(run, choice)) await this.#connect(run);
  }

  /** Ends the run and releases the camera. Who waits gives the place in the queue up. */
  stop() {
    if (!this.#run) return;
    if (this.#state.ahead !== undefined) leaveQueue(this.#endpoint, this.#credentials);
    this.#release({ phase: 'stopped' });
  }

  /** Ends the run because the page is left. If it is only loaded again, it finds its place in the queue. */
  leave() {
    if (!this.#run) return;
    storeTicket(this.#endpoint, this.#credentials.ticket);
    this.#release({ phase: 'stopped' });
  }

  /** Shows a token from the next request on. @param {import('./credentials.js').Token} token empty for none */
  setToken(token) {
    this.#credentials.setToken(token);
  }

  /** Stops sending. The camera stays on, for the page only. */
  async pause() {
    const peer = this.#peer;
    if (this.#state.phase !== 'live' || !peer) return;
    this.#set({ phase: 'paused' });
    // The picture stops first: whether the server heard of it does not matter to that promise.
    await this.#operations.add(peer, () => peer.setSending(false), () => peer.request('pause'));
  }

  async resume() {
    const run = this.#run;
    if (this.#state.phase !== 'paused' || !run) return;
    const peer = this.#peer;
    if (!peer) return this.#reconnectNow(run);
    this.#set({ phase: 'live' });
    this.#resuming = peer;
    await this.#operations.add(peer, () => peer.request('resume'), () => {
      if (this.#resuming === peer) this.#resuming = undefined;
      return peer.setSending(this.#state.phase === 'live'); // until this turn came a pause may have been asked for again
    });
  }

  /**
   * Changes to another picture.
   * @param {import('./videosource.js').SourceChoice} choice
   */
  async changeSource(choice) {
    const run = this.#run;
    if (!run || (choice.deviceId && choice.deviceId === this.deviceId)) return;
    // Phones cannot open a second camera while the first is on.
    this.#source.close();
    if (!(await this.#source.open(run, choice))) return;
    await this.#sendCamera();
  }

  /** Asks the server for something, now and in connections to come. @param {import('./options.js').RequestedOptions} wish */
  setOptions(wish) {
    this.#options.set(wish);
    this.#applyOptions();
  }

  /** Tries again at once instead of waiting on. */
  retryNow() {
    if (!this.#run || this.#retry === undefined) return;
    clearTimeout(this.#retry);
    this.#retry = undefined;
    void this.#connect(this.#run);
  }

  /** What the browser measures of the connection; undefined while there is none. */
  async stats() {
    return this.#peer?.stats();
  }

  /** @param {AbortController} run */
  async #connect(run) {
    if (this.#attempt === 0) this.#set({ phase: 'connecting' });
    else this.#set({ ...this.#state, phase: 'reconnecting', retryAt: undefined });
    const track = await this.#source.ready(run);
    if (!track) return;
    try {
      const peer = await Peer.open(this.#options.sessionUrl(this.#endpoint), track, {
        labels: this.#on.labels,
        hello: (message) => {
          this.#options.receiveHello(message);
          this.#on.hello(message);
          this.#applyOptions();
        },
        warning: this.#on.warning,
        lost: (failure) => this.#lost(run, failure),
      }, run.signal, this.#config?.(), this.#credentials, this.#sendTimes);
      if (run.signal.aborted) return;
      this.#peer = peer;
      this.#applyOptions();
    } catch (error) {
      this.#fail(run, error);
      return;
    }
    this.#liveSince = performance.now();
    this.#set({ phase: 'live' });
    await this.#sendCamera(track);
  }

  /** The server let go of a session that was silent, as it should. @param {AbortController} run */
  #reconnectNow(run) {
    this.#attempt = 0;
    return this.#connect(run);
  }

  /**
   * Makes the connection, if there is one, send the camera in use.
   * @param {MediaStreamTrack} [sent] what it sends now
   */
  async #sendCamera(sent) {
    const track = this.#source.track;
    const peer = this.#peer;
    if (peer && track && track !== sent) await this.#operations.run(peer, () => peer.replaceTrack(track));
  }

  /** @param {AbortController} run @param {Failure} failure */
  #lost(run, failure) {
    const late = this.#peer !== undefined && this.#peer === this.#resuming && endedForInactivity(failure.reason);
    this.#peer = undefined;
    if (this.#state.phase === 'paused') return; // resume connects anew
    if (late) return void this.#reconnectNow(run);
    if (performance.now() - this.#liveSince > STABLE_MS) this.#attempt = 0;
    if (isTransient(failure.reason)) this.#reconnect(run, failure);
    else this.#fail(run, failure);
  }

  /** @param {AbortController} run @param {unknown} error */
  #fail(run, error) {
    if (run.signal.aborted) return;
    const failure = error instanceof Failure ? error : new Failure('lost', String(error));
    if (failure.retryAfter > 0 && failure.reason === 'full') return this.#retryAfter(run, 'full', failure, failure.retryAfter);
    const hopeful = this.#attempt > 0 || failure.retryAfter > 0;
    if (hopeful && isTransient(failure.reason) && this.#attempt < MAX_ATTEMPTS) return this.#reconnect(run, failure);
    this.#release({ phase: 'failed', reason: failure.reason, detail: failure.detail });
  }

  /** Asks whether it is the visitor's turn, and goes on accordingly. @param {AbortController} run */
  async #pollQueue(run) {
    let said;
    try {
      said = await pollQueue(this.#endpoint, this.#credentials, run.signal);
    } catch (error) {
      if (run.signal.aborted) return;
      const failure = /** @type {Failure} */ (error);
      if (failure.reason === 'unreachable' && this.#attempt < MAX_ATTEMPTS) return this.#reconnect(run, failure);
      return this.#fail(run, failure);
    }
    if (run.signal.aborted) return;
    if (!said || said.turn) return this.#connect(run);
    this.#retryAfter(run, 'full', new Failure('full', '', 0, said.ahead), said.again_ms / 1000);
  }

  /** @param {AbortController} run @param {Failure} failure */
  #reconnect(run, failure) {
    if (run.signal.aborted) return;
    this.#attempt++;
    this.#retryAfter(run, 'reconnecting', failure, backoff(this.#attempt));
  }

  /**
   * @param {AbortController} run
   * @param {'full' | 'reconnecting'} phase
   * @param {Failure} failure
   * @param {number} seconds
   */
  #retryAfter(run, phase, failure, seconds) {
    clearTimeout(this.#retry);
    const queued = failure.ahead !== undefined;
    if (phase === 'full') this.#attempt = 0;
    this.#retry = setTimeout(() => {
      this.#retry = undefined;
      void (queued ? this.#pollQueue(run) : this.#connect(run));
    }, seconds * 1000);
    this.#set({
      phase,
      reason: failure.reason,
      detail: queued ? '' : failure.detail, // the page says it itself
      ahead: failure.ahead,
      attempt: phase === 'reconnecting' ? this.#attempt : undefined,
      retryAt: performance.now() + seconds * 1000,
    });
  }

  /** Asks the connection, if there is one, for what is wished. */
  #applyOptions() {
    const peer = this.#peer;
    if (peer) void this.#operations.add(peer, () => this.#options.apply(peer));
  }

  /** @param {import('./states.js').State} state the last one */
  #release(state) {
    this.#run?.abort();
    this.#run = undefined;
    clearTimeout(this.#retry);
    this.#retry = undefined;
    this.#peer?.close();
    this.#peer = undefined;
    this.#sendTimes.close();
    this.#source.close();
    this.#set(state);
  }

  /** @param {import('./states.js').State} state */
  #set(state) {
    this.#state = { supplied: this.#source.supplied, ...state };
    this.#on.state(this.#state);
  }
}
