// The HTTP half of WHIP (RFC 9725): a POST opens a session, PATCH adds candidates, DELETE ends it.

import { retryAfter } from './backoff.js';
import { iceServers, linkTarget } from './links.js';
import { Failure } from './states.js';
import { Credentials } from './credentials.js';

const POST_TIMEOUT_MS = 10_000;
const RESTART_TIMEOUT_MS = 2_000; // after an outage a new request arrives sooner than a retransmitted one
const DELETE_TIMEOUT_MS = 2_000;

/** A session on the server (RFC 9725). */
export class WhipSession {
  #credentials;

  #labels;

  /**
   * @param {string} url
   * @param {string} base address that the links of the answer are relative to: the request's
   * @param {Headers} headers of the answer
   * @param {string} answer SDP
   * @param {Credentials} credentials
   */
  constructor(url, base, headers, answer, credentials) {
    this.#credentials = credentials;
    this.url = url;
    this.etag = headers.get('ETag');
    this.answer = answer;
    this.iceServers = iceServers(headers.get('Link'));
    const labels = linkTarget(headers.get('Link'), 'urn:mindflow:labels');
    this.#labels = labels === undefined ? undefined : new URL(labels, base).href;
  }

  /**
   * Adds candidates. Returns false if the server does not accept them. That is no failure: the server may
   * still find the page by its connectivity checks.
   * @param {string} fragment
   * @param {AbortSignal} signal
   */
  async patch(fragment, signal) {
    /** @type {Record<string, string>} */
    const headers = { 'Content-Type': 'application/trickle-ice-sdpfrag' };
    if (this.etag) headers['If-Match'] = this.etag;
    const response = await this.#credentials.fetch(this.url, { method: 'PATCH', headers, body: fragment, signal });
    return response.ok;
  }

  /**
   * Restarts ICE.
   * @param {string} fragment with the new ICE credentials
   * @param {AbortSignal} signal
   * @returns {Promise<string>} the server's fragment
   * @throws {Error} what fetch throws, also after two seconds without an answer; Failure `lost` if the session has
   *   ended, else `refused`
   */
  async restart(fragment, signal) {
    const send = async (/** @type {string} */ tag, /** @type {AbortSignal} */ limit) => {
      const headers = { 'Content-Type': 'application/trickle-ice-sdpfrag', 'If-Match': tag };
      return this.#credentials.fetch(this.url, { method: 'PATCH', headers, body: fragment, signal: limit });
    };
    return withTimeout(RESTART_TIMEOUT_MS, signal, async (limit) => {
      // The known ETag is sent, so that a delayed request cannot undo a later one. If the server's ETag differs, its
      // last answer was lost, and the request is repeated with "*".
      let response = await send(this.etag ?? '*', limit);
      if (response.status === 412) response = await send('*', limit);
      const text = await response.text();
      if (response.status !== 200) {
        throw new Failure(response.status === 404 ? 'lost' : 'refused', `ICE restart: ${response.status}`);
      }
      this.etag = response.headers.get('ETag');
      return text;
    });
  }

  /**
   * Opens the stream of the session's labels over HTTP (PROTOCOL.md §3.2).
   * @param {AbortSignal} signal
   * @returns {Promise<ReadableStream<Uint8Array>>} of server-sent events
   * @throws {Error} what fetch throws; Failure `refused`
   */
  async labels(signal) {
    if (!this.#labels) throw new Failure('refused', 'the server has no labels over HTTP');
    const response = await this.#credentials.fetch(this.#labels,
      { headers: { Accept: 'text/event-stream' }, cache: 'no-store', signal });
    if (response.status !== 200 || !response.body) throw new Failure('refused', `labels over HTTP: ${response.status}`);
    return response.body;
  }

  /**
   * Ends the session. The request is sent even while the page is being closed. Resolves when it is answered, fails or
   * takes too long.
   */
  async delete() {
    const signal = AbortSignal.timeout(DELETE_TIMEOUT_MS);
    await this.#credentials.fetch(this.url, { method: 'DELETE', keepalive: true, signal }).catch(() => {
      // The server ends silent sessions by itself.
    });
  }
}

/**
 * Publishes an offer.
 * @param {string} endpoint
 * @param {string} offer SDP
 * @param {AbortSignal} signal
 * @param {Credentials} [credentials]
 * @returns {Promise<WhipSession>}
 * @throws {Failure} unreachable, full, shutdown, unauthorized or refused
 */
export async function publish(endpoint, offer, signal, credentials = new Credentials(endpoint)) {
  const response = await post(endpoint, offer, signal, credentials);
  if (response.status === 201) {
    const location = response.headers.get('Location');
    if (!location) throw new Failure('refused', 'the answer has no Location');
    const base = response.url || endpoint; // after redirects
    return new WhipSession(new URL(location, base).href, base, response.headers, await response.text(), credentials);
  }
  const { type, detail, ahead } = await readProblem(response);
  const wait = response.headers.get('Retry-After');
  if (response.status === 503 && wait !== null) {
    const draining = type === 'urn:mindflow:draining';
    throw new Failure(draining ? 'shutdown' : 'full', detail, retryAfter(wait, Date.now()), ahead);
  }
  if (response.status === 429) throw new Failure('full', detail, retryAfter(wait, Date.now()));
  if (response.status === 401) throw new Failure('unauthorized', detail);
  // Older servers answer 503 without Retry-After while they stop. A proxy answers 502, 503 or 504 while its server is
  // down.
  const down = [502, 503, 504].includes(response.status);
  throw new Failure(down ? 'unreachable' : 'refused', detail);
}

/** @param {string} endpoint @param {string} offer @param {AbortSignal} signal @param {Credentials} credentials */
async function post(endpoint, offer, signal, credentials) {
  const headers = { 'Content-Type': 'application/sdp' };
  try {
    return await withTimeout(POST_TIMEOUT_MS, signal,
      (limit) => credentials.fetch(endpoint, { method: 'POST', headers, body: offer, signal: limit }, {
      fresh: true, ticket: true,
    }));
  } catch (error) {
    throw error instanceof Failure ? error : new Failure('unreachable');
  }
}

/**
 * Runs an action that is aborted after `ms` milliseconds, or by signal.
 * @template T
 * @param {number} ms
 * @param {AbortSignal} signal
 * @param {(limit: AbortSignal) => Promise<T>} action
 */
export async function withTimeout(ms, signal, action) {
  const limit = new AbortController();
  const forward = () => limit.abort();
  signal.addEventListener('abort', forward, { once: true });
  const timer = setTimeout(forward, ms);
  try {
    return await action(limit.signal);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', forward);
  }
}

/**
 * Reads an error response: the type of its problem document (RFC 9457), its detail or else the status line,
 * and the number of people ahead if the server queues newcomers.
 * @param {Response} response
 * @returns {Promise<{type: string, detail: string, ahead?: number}>}
 */
async function readProblem(response) {
  const status = `${response.status} ${response.statusText}`.trim();
  if (!response.headers.get('Content-Type')?.startsWith('application/problem+json')) {
    return { type: '', detail: status };
  }
  try {
    const { type, title, detail, ahead } = await response.json();
    const queued = type === 'urn:mindflow:waiting' && Number.isInteger(ahead) && ahead >= 0;
    return { type: String(type), detail: String(detail || title || status), ahead: queued ? ahead : undefined };
  } catch {
    return { type: '', detail: status };
  }
}
