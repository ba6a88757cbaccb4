// Tests one network path to the server, with a drawn picture instead of a camera.

import { candidateAddresses, onlyProtocol } from './paths.js';
import { Failure } from '../client/states.js';
import { parseLabels } from '../client/wire.js';
import { publish } from '../client/whip.js';

const CONNECT_MS = 10_000;
const LABEL_MS = 8_000;

/** A moving picture, so that frames are sent. Call stop() at the end. */
export class TestPicture {
  #canvas = document.createElement('canvas');
  #timer;
  #at = 0;

  constructor() {
    this.#canvas.width = 320;
    this.#canvas.height = 240;
    this.#draw();
    this.stream = this.#canvas.captureStream(10);
    this.#timer = setInterval(() => this.#draw(), 100);
  }

  #draw() {
    const pen = /** @type {CanvasRenderingContext2D} */ (this.#canvas.getContext('2d'));
    pen.fillStyle = '#456';
    pen.fillRect(0, 0, 320, 240);
    pen.fillStyle = '#fed';
    pen.fillRect((this.#at += 8) % 320, 80, 40, 80);
  }

  stop() {
    clearInterval(this.#timer);
    for (const track of this.stream.getTracks()) track.stop();
  }
}

/**
 * Tests a path. The session is ended afterwards.
 * @param {string} endpoint of WHIP
 * @param {import('./paths.js').Path} path
 * @param {MediaStreamTrack} track
 * @param {AbortSignal} signal
 * @param {import('../client/credentials.js').Credentials} credentials
 * @returns {Promise<import('./paths.js').Outcome>}
 */
export async function probe(endpoint, path, track, signal, credentials) {
  const pc = new RTCPeerConnection(path === 'relay' ? { iceTransportPolicy: 'relay' } : {});
  const close = () => pc.close();
  signal.addEventListener('abort', close, { once: true });
  let opened;
  try {
    const talk = channels(pc);
    pc.addTransceiver(track, { direction: 'sendonly' });
    const offer = await pc.createOffer();
    opened = await publish(endpoint, offer.sdp ?? '', signal, credentials);
    const offered = candidateAddresses(opened.answer);
    const tried = path === 'relay' ? offered : offered.filter((a) => a.protocol === path);
    if (path === 'relay' ? opened.iceServers.length === 0 : tried.length === 0) {
      return { path, result: 'absent', tried: [] };
    }
    if (path === 'relay') pc.setConfiguration({ iceTransportPolicy: 'relay', iceServers: opened.iceServers });
    const began = performance.now();
    await pc.setLocalDescription(offer);
    // Local candidates are not sent to the server, so that only this side sends checks, on this path.
    await pc.setRemoteDescription({ type: 'answer', sdp: path === 'relay' ? opened.answer
      : onlyProtocol(opened.answer, path) });
    const connected = await inTime(CONNECT_MS, talk.opened, failed(pc), signal);
    const connectMs = performance.now() - began;
    const labelled = connected && await inTime(LABEL_MS, talk.labelled, failed(pc), signal);
    return {
      path, tried, result: connected ? 'works' : 'fails', connectMs: connected ? Math.round(connectMs) : undefined,
      labelMs: labelled ? Math.round(performance.now() - began - connectMs) : undefined, ...(await readStats(pc)),
    };
  } catch (error) {
    if (error instanceof Failure) {
      return { path, result: 'fails', tried: [], error: error.detail, reason: error.reason };
    }
    return { path, result: 'fails', tried: [], error: error instanceof Error ? error.message : String(error) };
  } finally {
    signal.removeEventListener('abort', close);
    opened?.delete();
    pc.close();
  }
}

/** Opens the data channels of the protocol. @param {RTCPeerConnection} pc */
function channels(pc) {
  const labels = pc.createDataChannel('labels', { ordered: false, maxRetransmits: 0 });
  const control = pc.createDataChannel('control');
  return {
    opened: new Promise((/** @type {(value: void) => void} */ resolve) =>
      control.addEventListener('open', () => resolve())),
    labelled: new Promise((/** @type {(value: void) => void} */ resolve) => {
      labels.addEventListener('message', ({ data }) => {
        parseLabels(data);
        resolve();
      });
    }),
  };
}

/** Resolves when the connection has failed. @param {RTCPeerConnection} pc */
function failed(pc) {
  return new Promise((/** @type {(value: void) => void} */ resolve) => {
    pc.addEventListener('connectionstatechange', () => {
      if (pc.connectionState === 'failed' || pc.connectionState === 'closed') resolve();
    });
  });
}

/**
 * Reports whether something happens in time, before the end.
 * @param {number} ms
 * @param {Promise<void>} happens
 * @param {Promise<void>} end
 * @param {AbortSignal} signal
 */
async function inTime(ms, happens, end, signal) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const over = new Promise((resolve) => {
    timer = setTimeout(resolve, ms, false);
    signal.addEventListener('abort', () => resolve(false), { once: true });
  });
  try {
    return Boolean(await Promise.race([happens.then(() => true), end.then(() => false), over]));
  } finally {
    clearTimeout(timer);
  }
}

/** Reads the path from the browser's statistics. @param {RTCPeerConnection} pc */
async function readStats(pc) {
  /** @type {{pair?: import('./paths.js').Pair, roundTripMs?: number, sent: number, answered: number, own: number}} */
  const seen = { sent: 0, answered: 0, own: 0 };
  const stats = await pc.getStats();
  let chosen;
  for (const s of stats.values()) {
    if (s.type === 'local-candidate') seen.own++;
    if (s.type === 'transport' && s.selectedCandidatePairId) chosen = stats.get(s.selectedCandidatePairId);
    if (s.type !== 'candidate-pair') continue;
    seen.sent += s.requestsSent ?? 0;
    seen.answered += s.responsesReceived ?? 0;
    if (s.nominated && s.state === 'succeeded') chosen ??= s;
  }
  if (!chosen) return seen;
  const [local, remote] = [stats.get(chosen.localCandidateId), stats.get(chosen.remoteCandidateId)];
  if (local && remote) {
    const relay = String(local.relayProtocol ?? '').toUpperCase();
    seen.pair = { from: local.candidateType, relay, to: remote.candidateType,
      protocol: String(local.protocol).toUpperCase() };
  }
  if (chosen.currentRoundTripTime !== undefined) seen.roundTripMs = Math.round(1000 * chosen.currentRoundTripTime);
  return seen;
}
