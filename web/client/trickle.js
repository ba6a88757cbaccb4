// Candidates on their way to the server, as they are found (RFC 8840, RFC 9725 §4.4), and the search for another path.

import { applyIceRestart, sdpFragment } from './sdpfrag.js';

const BATCH_MS = 100;

/** Sends a connection's candidates, a few at a time. */
export class Trickle {
  #pc;
  #resource;
  #signal;
  /** @type {import('./sdpfrag.js').Candidate[]} */
  #batch = [];
  #end = false; // there are no more than those of the batch
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #sending = Promise.resolve(true);
  #held = false; // the server does not know of the newest search, and would take its candidates for a restart that nobody waits for

  /**
   * @param {RTCPeerConnection} pc
   * @param {import('./whip.js').WhipSession} resource
   * @param {AbortSignal} signal
   */
  constructor(pc, resource, signal) {
    this.#pc = pc;
    this.#resource = resource;
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
   * Restarts ICE (RFC 9725 §4.3.3): both sides look for a path anew, and what else the connection is stays. After one that failed the old path is
   * used on; the next begins anew.
   * @param {AbortSignal} signal gives it up, unless the server has answered
   * @throws {Error} when the server cannot be reached, refuses, or does it no more
   */
  async restart(signal) {
    this.#held = true;
    this.#batch = [];
    this.#end = false;
    const offer = await this.#pc.createOffer({ iceRestart: true });
    await this.#pc.setLocalDescription(offer);
    const answer = await this.#resource.restart(sdpFragment(offer.sdp ?? '', [], false), signal);
    await this.#pc.setRemoteDescription({ type: 'answer', sdp: applyIceRestart(this.#resource.answer, answer) });
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
    // One after the other, as the server's answer may set the next one's ETag; stop at the first no.
    this.#sending = this.#sending.then((go) => go && this.#resource.patch(fragment, this.#signal)).catch(() => false);
  }
}
