// The client: camera and connection as one small state machine (states.js). It owns both and releases
// both in `stopped` and `failed`.

import { backoff, MAX_ATTEMPTS } from './backoff.js';
import { Peer } from './peer.js';
import { VideoSource } from './videosource.js';
import { SendTimes } from './sendtimes.js';
import { Failure, isTransient, endedForInactivity } from './states.js';
import { SerialQueue } from './serialqueue.js';
import { Credentials } from './credentials.js';
import { pollQueue, storeTicket, leaveQueue, takeTicket } from './waiting.js';
import { SessionOptions } from './options.js';

const STABLE_MS = 10_000; // after a connection this long the back-off starts anew

/**
 * @typedef {object} ClientHandlers
 * @property {(state: import('./states.js').State) => void} state
 * @property {(stream: MediaStream | undefined) => void} stream the video stream was opened, changed or closed
 * @property {(message: import('./wire.js').Labels) => void} labels
 * @property {(message: import('./wire.js').Hello) => void} hello
 * @property {(error: Error) => void} warning a problem that does not end the session
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
  /** @type {Peer | undefined} a peer whose server has not confirmed `resume` yet */
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
   * @param {() => RTCConfiguration} [config] called for each connection: see peer.js
   */
  constructor(endpoint, on, config) {
    this.#endpoint = endpoint;
    this.#on = on;
    this.#config = config;
    this.#credentials = new Credentials(endpoint);
    this.#operations = new SerialQueue((peer, error) => {
      if (this.#peer === peer) on.warning(error); // the end of a peer is reported by `lost`
    });
    this.#source = new VideoSource({ stream: on.stream, failed: (run, error) => this.#fail(run, error),
      ended: () => this.stop() });
  }

  get state() {
    return this.#state;
  }

  /** Whether this page draws the picture, which stands still while the page is hidden. */
  get drawn() {
    return this.#source.drawn;
  }

  /** The camera in use; empty when there is none. */
  get deviceId() {
    return this.#source.deviceId;
  }

  /**
   * Opens the camera or the supplied source, and connects. Does nothing while a run is active.
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

  /** Ends the run and releases the camera. A place in the queue is given up. */
  stop() {
    if (!this.#run) return;
    if (this.#state.ahead !== undefined) leaveQueue(this.#endpoint, this.#credentials);
    this.#release({ phase: 'stopped' });
  }

  /** Ends the run because the page is left. If the page is reloaded, it keeps its place in the queue. */
  leave() {
    if (!this.#run) return;
    storeTicket(this.#endpoint, this.#credentials.ticket);
    this.#release({ phase: 'stopped' });
  }

  /** Sets the token for requests to come. @param {import('./credentials.js').Token} token empty for none */
  setToken(token) {
    this.#credentials.setToken(token);
  }

  /** Stops sending. The camera stays on for the page alone. */
  async pause() {
    const peer = this.#peer;
    if (this.#state.phase !== 'live' || !peer) return;
    this.#set({ phase: 'paused' });
    // The picture stops first, whether or not the server receives the request: the page promises it.
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
      return peer.setSending(this.#state.phase === 'live'); // pause may have been called again in the meantime
    });
  }

  /**
   * Changes to another source.
   * @param {import('./videosource.js').SourceChoice} choice
   */
  async changeSource(choice) {
    const run = this.#run;
    if (!run || (choice.deviceId && choice.deviceId === this.deviceId)) return;
    // Phones cannot open two cameras at once.
    this.#source.close();
    if (!(await this.#source.open(run, choice))) return;
    await this.#sendCamera();
  }

  /** Sets options of this session and of those to come. @param {import('./options.js').RequestedOptions} options */
  setOptions(options) {
    this.#options.set(options);
    this.#applyOptions();
  }

  /** Tries again at once instead of waiting. */
  retryNow() {
    if (!this.#run || this.#retry === undefined) return;
    clearTimeout(this.#retry);
    this.#retry = undefined;
    void this.#connect(this.#run);
  }

  /** The browser's statistics of the connection; undefined while there is none. */
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

  /** Connects again, after the server ended a session that was paused. @param {AbortController} run */
  #reconnectNow(run) {
    this.#attempt = 0;
    return this.#connect(run);
  }

  /**
   * Makes the connection, if there is one, send the current track.
   * @param {MediaStreamTrack} [sent] the track that it sends already
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
    if (this.#state.phase === 'paused') return; // resume connects again
    if (late) return void this.#reconnectNow(run);
    if (performance.now() - this.#liveSince > STABLE_MS) this.#attempt = 0;
    if (isTransient(failure.reason)) this.#reconnect(run, failure);
    else this.#fail(run, failure);
  }

  /** @param {AbortController} run @param {unknown} error */
  #fail(run, error) {
    if (run.signal.aborted) return;
    const failure = error instanceof Failure ? error : new Failure('lost', String(error));
    if (failure.retryAfter > 0 && failure.reason === 'full') {
      return this.#retryAfter(run, 'full', failure, failure.retryAfter);
    }
    const hopeful = this.#attempt > 0 || failure.retryAfter > 0;
    if (hopeful && isTransient(failure.reason) && this.#attempt < MAX_ATTEMPTS) return this.#reconnect(run, failure);
    this.#release({ phase: 'failed', reason: failure.reason, detail: failure.detail });
  }

  /** Asks for the place in the queue, and connects or waits accordingly. @param {AbortController} run */
  async #pollQueue(run) {
    let waiting;
    try {
      waiting = await pollQueue(this.#endpoint, this.#credentials, run.signal);
    } catch (error) {
      if (run.signal.aborted) return;
      const failure = /** @type {Failure} */ (error);
      if (failure.reason === 'unreachable' && this.#attempt < MAX_ATTEMPTS) return this.#reconnect(run, failure);
      return this.#fail(run, failure);
    }
    if (run.signal.aborted) return;
    if (!waiting || waiting.turn) return this.#connect(run);
    this.#retryAfter(run, 'full', new Failure('full', '', 0, waiting.ahead), waiting.again_ms / 1000);
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
      detail: queued ? '' : failure.detail, // the page has its own text
      ahead: failure.ahead,
      attempt: phase === 'reconnecting' ? this.#attempt : undefined,
      retryAt: performance.now() + seconds * 1000,
    });
  }

  /** Applies the options to the connection, if there is one. */
  #applyOptions() {
    const peer = this.#peer;
    if (peer) void this.#operations.add(peer, () => this.#options.apply(peer));
  }

  /** @param {import('./states.js').State} state the final one */
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
