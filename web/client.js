// The client: camera and connection as one small state machine (states.js). It owns both and lets go
// of both in `stopped` and `failed`.

import { backoff, MAX_ATTEMPTS } from './backoff.js';
import { closeCamera, openCamera } from './camera.js';
import { Peer } from './peer.js';
import { Failure, passes } from './states.js';
import { Wishes } from './wishes.js';

const STEADY_MS = 10_000; // a connection that stood this long starts the back-off anew

/**
 * @typedef {object} ClientHandlers
 * @property {(state: import('./states.js').State) => void} state
 * @property {(stream: MediaStream | undefined) => void} stream the camera's picture came, changed or went
 * @property {(message: import('./wire.js').Labels) => void} labels
 * @property {(message: import('./wire.js').Hello) => void} hello
 * @property {(error: Error) => void} strange something odd that does not end the session
 */

export class Client {
  // static after construction
  #endpoint;
  #on;
  #wishes = new Wishes();

  // of the present run, from start to stop
  /** @type {AbortController | undefined} */
  #run;
  /** @type {MediaStream | undefined} */
  #stream;
  /** of the newest camera: whether it came */
  #opening = Promise.resolve(false);
  /** @type {Peer | undefined} */
  #peer;
  /** what pause and resume do to a connection, in the order they were asked for */
  #turns = Promise.resolve();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #retry;
  #attempt = 0;
  #liveSince = 0;
  /** @type {import('./states.js').State} */
  #state = { phase: 'idle' };

  /** @param {string} endpoint of WHIP @param {ClientHandlers} on */
  constructor(endpoint, on) {
    this.#endpoint = endpoint;
    this.#on = on;
  }

  get state() {
    return this.#state;
  }

  /** The camera in use; empty when there is none. */
  get deviceId() {
    return this.#stream?.getVideoTracks()[0]?.getSettings().deviceId ?? '';
  }

  /**
   * Asks for the camera and connects. It does nothing while a run is on.
   * @param {string} [deviceId]
   */
  async start(deviceId) {
    if (this.#run) return;
    const run = (this.#run = new AbortController());
    this.#attempt = 0;
    this.#set({ phase: 'asking' });
    if (await this.#open(run, deviceId)) await this.#connect(run);
  }

  /** Ends the run and releases the camera. */
  stop() {
    if (!this.#run) return;
    this.#release();
    this.#set({ phase: 'stopped' });
  }

  /** Stops sending. The camera stays on, for the page only. */
  async pause() {
    const peer = this.#peer;
    if (this.#state.phase !== 'live' || !peer) return;
    this.#set({ phase: 'paused' });
    // The picture stops first: whether the server heard of it does not matter to that promise.
    await this.#inTurn(peer, () => peer.setSending(false), () => peer.request('pause'));
  }

  async resume() {
    const run = this.#run;
    if (this.#state.phase !== 'paused' || !run) return;
    const peer = this.#peer;
    if (!peer) {
      this.#attempt = 0;
      return this.#connect(run); // the server let go of a silent session
    }
    this.#set({ phase: 'live' });
    // Until its turn comes a pause may have been asked for again.
    await this.#inTurn(peer, () => peer.request('resume'), () => peer.setSending(this.#state.phase === 'live'));
  }

  /**
   * Changes to another camera.
   * @param {string} deviceId
   */
  async useCamera(deviceId) {
    const run = this.#run;
    if (!run || deviceId === this.deviceId) return;
    // Phones cannot open a second camera while the first is on.
    this.#closeCamera();
    if (!(await this.#open(run, deviceId))) return;
    await this.#sendCamera();
  }

  /** Asks the server for something, now and in connections to come. @param {import('./wishes.js').Wish} wish */
  want(wish) {
    this.#wishes.want(wish);
    this.#settle();
  }

  /** Tries again at once instead of waiting on. */
  retryNow() {
    if (!this.#run || this.#retry === undefined) return;
    clearTimeout(this.#retry);
    this.#retry = undefined;
    void this.#connect(this.#run);
  }

  /** The round trip to the server in seconds; undefined while it is not known. */
  async roundTrip() {
    return this.#peer?.roundTrip();
  }

  /**
   * @param {AbortController} run
   * @param {string} [deviceId]
   * @returns {Promise<boolean>} whether the run has its camera
   */
  #open(run, deviceId) {
    return (this.#opening = this.#openNow(run, deviceId));
  }

  /** @param {AbortController} run @param {string} [deviceId] */
  async #openNow(run, deviceId) {
    let stream;
    try {
      stream = await openCamera(deviceId);
    } catch (error) {
      this.#fail(run, error);
      return false;
    }
    if (run.signal.aborted) {
      closeCamera(stream);
      return false;
    }
    this.#closeCamera(); // of two changes at once the later wins
    this.#stream = stream;
    const track = stream.getVideoTracks()[0];
    track.addEventListener('ended', () => {
      if (this.#stream === stream) this.#fail(run, new Failure('camera-lost'));
    }, { signal: run.signal });
    this.#on.stream(stream);
    return true;
  }

  /** @param {AbortController} run */
  async #connect(run) {
    if (this.#attempt === 0) this.#set({ phase: 'connecting' });
    else this.#set({ ...this.#state, phase: 'reconnecting', retryAt: undefined });
    const track = await this.#track(run);
    if (!track) return;
    try {
      const peer = await Peer.open(this.#wishes.begin(this.#endpoint), track, {
        labels: this.#on.labels,
        hello: (message) => {
          this.#wishes.greet(message);
          this.#on.hello(message);
          this.#settle();
        },
        strange: this.#on.strange,
        lost: (failure) => this.#lost(run, failure),
      }, run.signal);
      if (run.signal.aborted) return;
      this.#peer = peer;
      this.#settle();
    } catch (error) {
      this.#fail(run, error);
      return;
    }
    this.#liveSince = performance.now();
    this.#set({ phase: 'live' });
    await this.#sendCamera(track);
  }

  /**
   * The track to send. It waits for a camera that is being opened, also when that is changed meanwhile.
   * @param {AbortController} run
   * @returns {Promise<MediaStreamTrack | undefined>} undefined when the run has ended; a camera that fails ends it
   */
  async #track(run) {
    /** @type {MediaStreamTrack | undefined} */
    let track;
    while (!track && (await this.#opening) && !run.signal.aborted) track = this.#stream?.getVideoTracks()[0];
    return track;
  }

  /**
   * Makes the connection, if there is one, send the camera in use.
   * @param {MediaStreamTrack} [sent] what it sends now
   */
  async #sendCamera(sent) {
    const track = this.#stream?.getVideoTracks()[0];
    const peer = this.#peer;
    if (peer && track && track !== sent) await this.#attemptOn(peer, () => peer.replaceTrack(track));
  }

  /** @param {AbortController} run @param {Failure} failure */
  #lost(run, failure) {
    this.#peer = undefined;
    if (this.#state.phase === 'paused') return; // resume connects anew
    if (performance.now() - this.#liveSince > STEADY_MS) this.#attempt = 0;
    if (passes(failure.reason)) this.#again(run, failure);
    else this.#fail(run, failure);
  }

  /** @param {AbortController} run @param {unknown} error */
  #fail(run, error) {
    if (run.signal.aborted) return;
    const failure = error instanceof Failure ? error : new Failure('lost', String(error));
    if (failure.retryAfter > 0) return this.#wait(run, 'full', failure, failure.retryAfter);
    if (this.#attempt > 0 && passes(failure.reason) && this.#attempt < MAX_ATTEMPTS) return this.#again(run, failure);
    this.#release();
    this.#set({ phase: 'failed', reason: failure.reason, detail: failure.detail });
  }

  /** @param {AbortController} run @param {Failure} failure */
  #again(run, failure) {
    if (run.signal.aborted) return;
    this.#attempt++;
    this.#wait(run, 'reconnecting', failure, backoff(this.#attempt));
  }

  /**
   * @param {AbortController} run
   * @param {'full' | 'reconnecting'} phase
   * @param {Failure} failure
   * @param {number} seconds
   */
  #wait(run, phase, failure, seconds) {
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => {
      this.#retry = undefined;
      void this.#connect(run);
    }, seconds * 1000);
    this.#set({
      phase,
      reason: failure.reason,
      detail: failure.detail,
      attempt: phase === 'reconnecting' ? this.#attempt : undefined,
      retryAt: performance.now() + seconds * 1000,
    });
  }

  /**
   * Does things to a connection after all that was asked before, so that the server hears them in order.
   * @param {Peer} peer
   * @param {(() => Promise<void>)[]} acts
   */
  #inTurn(peer, ...acts) {
    for (const act of acts) this.#turns = this.#turns.then(() => this.#attemptOn(peer, act));
    return this.#turns;
  }

  /** Asks the connection, if there is one, for what is wished. */
  #settle() {
    const peer = this.#peer;
    if (peer) void this.#inTurn(peer, () => this.#wishes.settle(peer));
  }

  /**
   * Does something to a connection that may end meanwhile, which is then told by `lost`.
   * @param {Peer} peer
   * @param {() => Promise<void>} act
   */
  async #attemptOn(peer, act) {
    try {
      await act();
    } catch (error) {
      if (this.#peer === peer) this.#on.strange(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #closeCamera() {
    if (!this.#stream) return;
    closeCamera(this.#stream);
    this.#stream = undefined;
    this.#on.stream(undefined);
  }

  #release() {
    this.#run?.abort();
    this.#run = undefined;
    clearTimeout(this.#retry);
    this.#retry = undefined;
    this.#peer?.close();
    this.#peer = undefined;
    this.#closeCamera();
  }

  /** @param {import('./states.js').State} state */
  #set(state) {
    this.#state = state;
    this.#on.state(state);
  }
}
