// Sends ICE candidates to the server as they are found (RFC 8840, RFC 9725 §4.4), and restarts ICE.

import { applyIceRestart, sdpFragment } from './sdpfrag.js';

const BATCH_MS = 100;

/** Sends a connection's candidates in small batches. */
export class Trickle {
  #pc;
  #session;
  #signal;
  /** @type {import('./sdpfrag.js').Candidate[]} */
  #batch = [];
  #end = false; // the batch holds the last candidates
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #sending = Promise.resolve(true);
  #held = false; // during a restart, until the server answers: it would take the new candidates for another restart

  /**
   * @param {RTCPeerConnection} pc
   * @param {import('./whip.js').WhipSession} session
   * @param {AbortSignal} signal
   */
  constructor(pc, session, signal) {
    this.#pc = pc;
    this.#session = session;
    this.#signal = signal;
    pc.addEventListener('icecandidate', ({ candidate }) => {
      if (candidate) this.#batch.push(candidate);
      else this.#end = true;
      if (this.#end) this.#flush();
      else this.#timer ??= setTimeout(() => this.#flush(), BATCH_MS);
    }, { signal });
    signal.addEventListener('abort', () => clearTimeout(this.#timer), { once: true });
  }

  /**
   * Restarts ICE (RFC 9725 §4.3.3): both sides search for a new path; DTLS and the channels stay. If the restart fails,
   * the old path is still used, and the next restart starts over.
   * @param {AbortSignal} signal aborts the request; without effect after the server's answer
   * @throws {Error} if the server is unreachable or refuses
   */
  async restart(signal) {
    this.#held = true;
    this.#batch = [];
    this.#end = false;
    const offer = await this.#pc.createOffer({ iceRestart: true });
    await this.#pc.setLocalDescription(offer);
    const answer = await this.#session.restart(sdpFragment(offer.sdp ?? '', [], false), signal);
    await this.#pc.setRemoteDescription({ type: 'answer', sdp: applyIceRestart(this.#session.answer, answer) });
    this.#sending = Promise.resolve(true);
    this.#held = false;
    this.#flush();
  }

  #flush() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#held || (this.#batch.length === 0 && !this.#end)) return;
    const fragment = sdpFragment(this.#pc.localDescription?.sdp ?? '', this.#batch, this.#end);
    this.#batch = [];
    // One request at a time, as each answer may set the ETag of the next. A refusal ends the trickling.
    this.#sending = this.#sending.then((go) => go && this.#session.patch(fragment, this.#signal)).catch(() => false);
  }
}
