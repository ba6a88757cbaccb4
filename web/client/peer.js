// One connection to the server: the offer, its data channels, its end. A peer is opened once and closed once;
// client.js opens the next one.

import { Recovery } from './recovery.js';
import { ControlRequests } from './requests.js';
import { VideoSender } from './videosender.js';
import { Failure } from './states.js';
import { CaptureTimes } from './capturetimes.js';
import { connectionStats, trafficCounters } from './stats.js';
import { Trickle } from './trickle.js';
import { publish } from './whip.js';
import { parseControl, parseLabels, WireError } from './wire.js';

const CONNECT_TIMEOUT_MS = 12_000;
const DISCONNECTED_TIMEOUT_MS = 4_000; // a Wi-Fi hand-over takes less
/** Reasons of `bye` messages that have texts of their own (PROTOCOL.md §4). */
const BYE_REASONS = /** @type {const} */ (['idle', 'no-media', 'shutdown', 'time', 'replaced', 'too-large',
  'internal']);
const MAX_BITRATE = 1_500_000; // bit/s; 640×480 looks no better with more

/**
 * @typedef {object} PeerHandlers
 * @property {(message: import('./wire.js').Labels) => void} labels in order; late messages are dropped
 * @property {(message: import('./wire.js').Hello) => void} hello
 * @property {(failure: Failure) => void} lost called once, after the connection was established; not after close
 * @property {(error: Error) => void} warning called for an ignored message that breaks the protocol
 */

export class Peer {
  // static after construction
  #config;
  #pc;
  #closed = new AbortController();
  #on;
  #sender;
  /** @type {import('./whip.js').WhipSession | undefined} */
  #session;
  #control;
  #requests;
  /** @type {Recovery | undefined} */
  #recovery;
  #lastSeq = -1;
  #captureTimes = new CaptureTimes(() => this.stats());
  /** @type {Failure | undefined} the first cause of the end */
  #failure;
  #established = false;

  /**
   * Publishes the track. Resolves when media flows and requests can be sent.
   * @param {string} endpoint of WHIP
   * @param {MediaStreamTrack} track
   * @param {PeerHandlers} on
   * @param {AbortSignal} signal closes the connection at any time
   * @param {RTCConfiguration} [config] such as `iceTransportPolicy`; the server's ICE servers are added to it
   * @param {import('./credentials.js').Credentials} [credentials]
   * @param {import('./sendtimes.js').SendTimes} [sendTimes]
   * @throws {Failure}
   */
  static async open(endpoint, track, on, signal, config, credentials, sendTimes) {
    if (sendTimes) await sendTimes.settled();
    if (signal.aborted) throw new Failure('lost');
    const peer = new Peer(track, on, config, sendTimes);
    const close = () => peer.close();
    signal.addEventListener('abort', close, { once: true, signal: peer.#closed.signal });
    // Operations on a closed connection never settle (WebRTC, section 4.4.1.2).
    const ended = new Promise((_, reject) => peer.#closed.signal.addEventListener('abort',
      () => reject(new Failure('lost')), { once: true }));
    try {
      await Promise.race([peer.#negotiate(endpoint, credentials), ended]);
      await peer.#waitConnected();
    } catch (error) {
      const failure = peer.#failure ?? asFailure(error);
      peer.close();
      throw failure;
    }
    return peer;
  }

  /**
   * @param {MediaStreamTrack} track
   * @param {PeerHandlers} on
   * @param {RTCConfiguration} [config]
   * @param {import('./sendtimes.js').SendTimes} [sendTimes]
   */
  constructor(track, on, config = {}, sendTimes) {
    this.#on = on;
    this.#config = config;
    this.#pc = new RTCPeerConnection(config);
    const { signal } = this.#closed;
    const { sender } = this.#pc.addTransceiver(track,
      { direction: 'sendonly', sendEncodings: [{ maxBitrate: MAX_BITRATE }] });
    this.#captureTimes.observe(sendTimes, sender, signal);
    this.#sender = new VideoSender(sender);
    if (globalThis.navigator && ('getBattery' in navigator || 'connection' in navigator)) {
      void import('./lowbattery.js').then(({ limitOnLowBattery }) => limitOnLowBattery(this.#sender, signal));
    }
    const labels = this.#pc.createDataChannel('labels', { ordered: false, maxRetransmits: 0 });
    labels.addEventListener('message', (e) => this.#receiveLabels(e.data, true), { signal });
    this.#control = this.#pc.createDataChannel('control');
    this.#requests = new ControlRequests(this.#control);
    this.#control.addEventListener('message', (e) => this.#receiveControl(e.data), { signal });
    this.#control.addEventListener('close', () => this.#fail(new Failure('lost')), { signal });
  }

  /** Ends the session on both sides. The track stays open: the caller owns it. */
  close() {
    if (this.#closed.signal.aborted) return;
    this.#closed.abort();
    const close = () => this.#pc.close();
    // The connection closes last: a server that saw it close first would take the session for broken.
    if (this.#session) void this.#session.delete().then(close);
    else close();
    this.#requests.rejectAll(new Failure('lost'));
  }

  /** @param {MediaStreamTrack} track */
  async replaceTrack(track) {
    await this.#sender.replaceTrack(track);
  }

  /**
   * Stops or resumes sending the picture. The page's own view goes on.
   * @param {boolean} sending
   */
  async setSending(sending) {
    if (!sending) this.#recovery?.setExpected(false);
    await this.#sender.setActive(sending);
    if (sending) this.#recovery?.setExpected(true);
  }

  /**
   * Sends a request and waits for the server's answer.
   * @param {import('./wire.js').RequestType} type
   * @param {import('./wire.js').Options} [options] of the type `options`
   * @throws {Failure} refused, lost
   */
  async request(type, options) {
    await this.#requests.request(type, options);
  }

  /** The browser's statistics of the connection. */
  stats() {
    return connectionStats(this.#pc);
  }

  /** @param {string} endpoint @param {import('./credentials.js').Credentials} [credentials] */
  async #negotiate(endpoint, credentials) {
    const { signal } = this.#closed;
    const offer = await this.#pc.createOffer();
    const opened = await publish(endpoint, offer.sdp ?? '', signal, credentials);
    if (signal.aborted) {
      void opened.delete();
      throw new Failure('lost');
    }
    this.#session = opened;
    // Gathering starts with the local description, so the ICE servers are set before it (RFC 9725 §4.6).
    if (opened.iceServers.length > 0) {
      const { iceServers = [] } = this.#config;
      this.#pc.setConfiguration({ ...this.#config, iceServers: [...iceServers, ...opened.iceServers] });
    }
    this.#startRecovery(opened, new Trickle(this.#pc, opened, signal));
    await this.#pc.setLocalDescription(offer);
    try {
      await this.#pc.setRemoteDescription({ type: 'answer', sdp: opened.answer });
    } catch (error) {
      throw new Failure('refused', `the answer cannot be used: ${error instanceof Error ? error.message : error}`);
    }
  }

  /** @param {import('./whip.js').WhipSession} session @param {Trickle} trickle */
  #startRecovery(session, trickle) {
    const restart = async (/** @type {AbortSignal} */ signal) => {
      try {
        await trickle.restart(signal);
      } catch (error) {
        if (error instanceof Failure && error.reason === 'lost') this.#fail(error);
        // Otherwise the server was not reached, and ICE goes on as before.
      }
    };
    const labels = (/** @type {string} */ text) => this.#receiveLabels(text, false);
    this.#recovery = new Recovery({ session, restart, labels, traffic: () => trafficCounters(this.#pc) },
      this.#closed.signal);
  }

  /** Resolves when ICE is connected and `control` is open, which takes one or two round trips more. */
  async #waitConnected() {
    const { signal } = this.#closed;
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
    this.#established = true;
    this.#watchConnection();
  }

  #watchConnection() {
    const { signal } = this.#closed;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let timer;
    const check = () => {
      clearTimeout(timer);
      const state = this.#pc.connectionState;
      if (state === 'failed') this.#fail(new Failure('lost'));
      if (state === 'disconnected') {
        timer = setTimeout(() => this.#fail(new Failure('lost')), DISCONNECTED_TIMEOUT_MS);
      }
    };
    this.#pc.addEventListener('connectionstatechange', check, { signal });
    signal.addEventListener('abort', () => clearTimeout(timer), { once: true });
    check();
  }

  /** @param {string} text @param {boolean} onChannel false for labels over HTTP */
  #receiveLabels(text, onChannel) {
    try {
      const message = parseLabels(text);
      if (onChannel) this.#recovery?.receivedOnChannel(message.seq);
      this.#recovery?.received(message.seq);
      if (message.seq <= this.#lastSeq) return; // the channel is unordered
      this.#lastSeq = message.seq;
      this.#captureTimes.annotate(message, performance.now());
      this.#on.labels(message);
    } catch (error) {
      this.#handleInvalid(error);
    }
  }

  /** @param {string} text */
  #receiveControl(text) {
    try {
      const message = parseControl(text);
      switch (message.type) {
        case 'hello': return this.#on.hello(message);
        case 'ok': return this.#requests.resolve(message.id);
        case 'error': return this.#receiveError(message);
        case 'bye': return this.#fail(byeFailure(message.reason));
        case 'hint': return void this.#applyHint(message);
      }
    } catch (error) {
      this.#handleInvalid(error);
    }
  }

  /** @param {import('./wire.js').ControlError} message */
  #receiveError(message) {
    const failure = new Failure('refused', message.message || message.code);
    if (!this.#requests.reject(message.id, failure)) this.#on.warning(failure);
  }

  /**
   * Applies a hint of the server. A browser that cannot apply it sends as before.
   * @param {import('./wire.js').Hint} hint
   */
  async #applyHint(hint) {
    try {
      await this.#sender.applyHint(hint);
    } catch (error) {
      if (!this.#closed.signal.aborted) this.#on.warning(error instanceof Error ? error : new Error(String(error)));
    }
  }

  /** @param {unknown} error */
  #handleInvalid(error) {
    if (!(error instanceof WireError)) throw error;
    if (error.field === 'v') this.#fail(new Failure('version', error.message));
    else this.#on.warning(error);
  }

  /** @param {Failure} failure */
  #fail(failure) {
    if (this.#failure || this.#closed.signal.aborted) return;
    this.#failure = failure;
    this.close();
    if (this.#established) this.#on.lost(failure);
  }
}

/** @param {string} reason of a bye @returns {Failure} */
function byeFailure(reason) {
  if (reason === 'draining') return new Failure('shutdown'); // another server may take over, or this one restarts soon
  for (const known of BYE_REASONS) if (reason === known) return new Failure(known);
  if (reason === 'worn') return new Failure('lost', reason);
  return new Failure('ended', reason);
}

/** @param {unknown} error */
function asFailure(error) {
  return error instanceof Failure ? error : new Failure('lost', error instanceof Error ? error.message : String(error));
}
