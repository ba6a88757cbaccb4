// One connection to the server: the offer, its channels, its end. It is opened once and closed once;
// client.js opens the next one.

import { sdpFragment } from './sdpfrag.js';
import { Sending } from './sending.js';
import { Failure } from './states.js';
import { controlRequest, parseControl, parseLabels, WireError } from './wire.js';
import { publish } from './whip.js';

const CONNECT_TIMEOUT_MS = 12_000;
const DISCONNECTED_TIMEOUT_MS = 4_000; // a Wi-Fi hand-over heals itself in less
const REQUEST_TIMEOUT_MS = 5_000;
const TRICKLE_BATCH_MS = 100;
const MAX_BITRATE = 1_500_000; // bit/s; 640×480 looks no better with more

/**
 * @typedef {object} PeerHandlers
 * @property {(message: import('./wire.js').Labels) => void} labels in order; late ones are left out
 * @property {(message: import('./wire.js').Hello) => void} hello
 * @property {(failure: Failure) => void} lost once, after the connection stood; not after close
 * @property {(error: Error) => void} strange a message that breaks the protocol, ignored
 */

export class Peer {
  #pc = new RTCPeerConnection();
  #life = new AbortController();
  #on;
  #sending;
  /** @type {import('./whip.js').Resource | undefined} */
  #resource;
  #control;
  #requestId = 0;
  /** @type {Map<number, {resolve: () => void, reject: (error: Error) => void}>} */
  #pending = new Map();
  #lastSeq = -1;
  /** @type {Failure | undefined} set by the first cause of the end */
  #ended;
  #standing = false;

  /**
   * Offers the track and resolves when media flows and requests can be sent.
   * @param {string} endpoint of WHIP
   * @param {MediaStreamTrack} track
   * @param {PeerHandlers} on
   * @param {AbortSignal} signal closes it, at any time
   * @throws {Failure}
   */
  static async open(endpoint, track, on, signal) {
    const peer = new Peer(track, on);
    const close = () => peer.close();
    signal.addEventListener('abort', close, { once: true, signal: peer.#life.signal });
    try {
      await peer.#negotiate(endpoint);
      await peer.#connected();
    } catch (error) {
      const failure = peer.#ended ?? asFailure(error);
      peer.close();
      throw failure;
    }
    return peer;
  }

  /** @param {MediaStreamTrack} track @param {PeerHandlers} on */
  constructor(track, on) {
    this.#on = on;
    const { signal } = this.#life;
    this.#sending = new Sending(this.#pc.addTransceiver(track, {
      direction: 'sendonly',
      sendEncodings: [{ maxBitrate: MAX_BITRATE }],
    }).sender);
    const labels = this.#pc.createDataChannel('labels', { ordered: false, maxRetransmits: 0 });
    labels.addEventListener('message', (e) => this.#receiveLabels(e.data), { signal });
    this.#control = this.#pc.createDataChannel('control');
    this.#control.addEventListener('message', (e) => this.#receiveControl(e.data), { signal });
    this.#control.addEventListener('close', () => this.#lose(new Failure('lost')), { signal });
  }

  /** Ends the session on both sides and releases everything but the track, which is the caller's. */
  close() {
    if (this.#life.signal.aborted) return;
    this.#life.abort();
    this.#resource?.delete();
    this.#pc.close();
    for (const { reject } of this.#pending.values()) reject(new Failure('lost'));
    this.#pending.clear();
  }

  /** @param {MediaStreamTrack} track */
  async replaceTrack(track) {
    await this.#sending.replaceTrack(track);
  }

  /**
   * Stops or resumes sending the picture. The page's own view of it goes on.
   * @param {boolean} sending
   */
  async setSending(sending) {
    await this.#sending.setActive(sending);
  }

  /**
   * Asks the server for something and waits for its answer.
   * @param {import('./wire.js').RequestType} type
   * @param {import('./wire.js').Options} [options] of the type `options`
   * @throws {Failure} refused, lost
   */
  async request(type, options) {
    const id = ++this.#requestId;
    const answered = new Promise((/** @type {(value: void) => void} */ resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
    });
    const timer = setTimeout(() => {
      this.#pending.get(id)?.reject(new Failure('refused', `the server did not answer ${type}`));
    }, REQUEST_TIMEOUT_MS);
    try {
      this.#control.send(controlRequest(type, id, options));
      await answered;
    } finally {
      clearTimeout(timer);
      this.#pending.delete(id);
    }
  }

  /** The round trip to the server in seconds, as measured by ICE; undefined until it is known. */
  async roundTrip() {
    const stats = await this.#pc.getStats();
    let pair;
    for (const s of stats.values()) {
      if (s.type === 'transport' && s.selectedCandidatePairId) pair = stats.get(s.selectedCandidatePairId);
      else if (s.type === 'candidate-pair' && s.nominated && s.state === 'succeeded') pair ??= s;
    }
    return /** @type {number | undefined} */ (pair?.currentRoundTripTime);
  }

  /** @param {string} endpoint */
  async #negotiate(endpoint) {
    const { signal } = this.#life;
    const offer = await this.#pc.createOffer();
    const opened = await publish(endpoint, offer.sdp ?? '', signal);
    if (signal.aborted) {
      opened.delete();
      throw new Failure('lost');
    }
    this.#resource = opened;
    // Gathering starts with the local description, so it waits for the servers' addresses (RFC 9725 §4.6).
    if (opened.iceServers.length > 0) this.#pc.setConfiguration({ iceServers: opened.iceServers });
    this.#trickle(opened);
    await this.#pc.setLocalDescription(offer);
    try {
      await this.#pc.setRemoteDescription({ type: 'answer', sdp: opened.answer });
    } catch (error) {
      throw new Failure('refused', `the answer cannot be used: ${error instanceof Error ? error.message : error}`);
    }
  }

  /** @param {import('./whip.js').Resource} resource */
  #trickle(resource) {
    const { signal } = this.#life;
    /** @type {import('./sdpfrag.js').Candidate[]} */
    let batch = [];
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let timer;
    let sending = Promise.resolve(true);
    const flush = (/** @type {boolean} */ end) => {
      clearTimeout(timer);
      timer = undefined;
      const fragment = sdpFragment(this.#pc.localDescription?.sdp ?? '', batch, end);
      batch = [];
      // One after the other, as the server's answer may set the next one's ETag; stop at the first no.
      sending = sending.then((go) => go && resource.patch(fragment, signal)).catch(() => false);
    };
    this.#pc.addEventListener('icecandidate', ({ candidate }) => {
      if (!candidate) return flush(true);
      batch.push(candidate);
      timer ??= setTimeout(flush, TRICKLE_BATCH_MS, false);
    }, { signal });
    signal.addEventListener('abort', () => clearTimeout(timer), { once: true });
  }

  /** Resolves when the connection stands and `control` is open, which comes a round trip or two later. */
  async #connected() {
    const { signal } = this.#life;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let timer;
    try {
      await new Promise((/** @type {(value: void) => void} */ resolve, reject) => {
        const settle = () => {
          const state = this.#pc.connectionState;
          if (state === 'failed') reject(new Failure('blocked'));
          else if (state === 'connected' && this.#control.readyState === 'open') resolve();
        };
        timer = setTimeout(() => reject(new Failure('blocked')), CONNECT_TIMEOUT_MS);
        signal.addEventListener('abort', () => reject(new Failure('lost')), { once: true });
        this.#pc.addEventListener('connectionstatechange', settle, { signal });
        this.#control.addEventListener('open', settle, { signal });
        settle();
      });
    } finally {
      clearTimeout(timer);
    }
    this.#standing = true;
    this.#watchConnection();
  }

  #watchConnection() {
    const { signal } = this.#life;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let timer;
    const check = () => {
      clearTimeout(timer);
      const state = this.#pc.connectionState;
      if (state === 'failed') this.#lose(new Failure('lost'));
      if (state === 'disconnected') {
        timer = setTimeout(() => this.#lose(new Failure('lost')), DISCONNECTED_TIMEOUT_MS);
      }
    };
    this.#pc.addEventListener('connectionstatechange', check, { signal });
    signal.addEventListener('abort', () => clearTimeout(timer), { once: true });
    check();
  }

  /** @param {string} text */
  #receiveLabels(text) {
    try {
      const message = parseLabels(text);
      if (message.seq <= this.#lastSeq) return; // the channel is unordered
      this.#lastSeq = message.seq;
      this.#on.labels(message);
    } catch (error) {
      this.#refuse(error);
    }
  }

  /** @param {string} text */
  #receiveControl(text) {
    try {
      const message = parseControl(text);
      switch (message.type) {
        case 'hello': return this.#on.hello(message);
        case 'ok': return this.#pending.get(message.id)?.resolve();
        case 'error': return this.#answerError(message);
        case 'bye': return this.#lose(farewell(message.reason));
        case 'hint': return void this.#obey(message);
      }
    } catch (error) {
      this.#refuse(error);
    }
  }

  /** @param {import('./wire.js').ControlError} message */
  #answerError(message) {
    const failure = new Failure('refused', message.message || message.code);
    const waiting = message.id === undefined ? undefined : this.#pending.get(message.id);
    if (waiting) waiting.reject(failure);
    else this.#on.strange(failure);
  }

  /** A browser that cannot obey goes on as before. @param {import('./wire.js').Hint} hint */
  async #obey(hint) {
    try {
      await this.#sending.obey(hint);
    } catch (error) {
      if (!this.#life.signal.aborted) this.#on.strange(error instanceof Error ? error : new Error(String(error)));
    }
  }

  /** @param {unknown} error */
  #refuse(error) {
    if (!(error instanceof WireError)) throw error;
    if (error.field === 'v') this.#lose(new Failure('version', error.message));
    else this.#on.strange(error);
  }

  /** @param {Failure} failure */
  #lose(failure) {
    if (this.#ended || this.#life.signal.aborted) return;
    this.#ended = failure;
    this.close();
    if (this.#standing) this.#on.lost(failure);
  }
}

/** @param {string} reason of a bye @returns {Failure} */
function farewell(reason) {
  if (reason === 'idle' || reason === 'no-media' || reason === 'shutdown') return new Failure(reason);
  return new Failure('ended', reason);
}

/** @param {unknown} error */
function asFailure(error) {
  return error instanceof Failure ? error : new Failure('lost', error instanceof Error ? error.message : String(error));
}
