// The HTTP half of WHIP (RFC 9725): a POST opens a session, PATCH adds candidates, DELETE ends it.

import { retryAfter } from './backoff.js';
import { iceServers, linkTarget } from './links.js';
import { Failure } from './states.js';
import { Credentials } from './credentials.js';

const POST_TIMEOUT_MS = 10_000;
const RESTART_TIMEOUT_MS = 2_000; // on a line that has just come back a new request is sooner there than one that is repeated

/** A session that the server has opened. */
export class WhipSession {
  #credentials;

  #labels;

  /** @param {string} url @param {Headers} headers of the answer @param {string} answer SDP @param {Credentials} visitor */
  constructor(url, headers, answer, visitor) {
    this.#credentials = visitor;
    this.url = url;
    this.etag = headers.get('ETag');
    this.answer = answer;
    this.iceServers = iceServers(headers.get('Link'));
    const labels = linkTarget(headers.get('Link'), 'urn:mindflow:labels');
    this.#labels = labels === undefined ? undefined : new URL(labels, url).href;
  }

  /**
   * Adds candidates. False means that the server takes none this way, which is no failure: it may still
   * find the page by the checks that arrive.
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
   * @param {string} fragment with the new credentials
   * @param {AbortSignal} signal
   * @returns {Promise<string>} the server's
   * @throws {Error} what fetch throws, also after two seconds without an answer; Failure `lost` where the session has ended, else `refused`
   */
  async restart(fragment, signal) {
    const send = async (/** @type {string} */ tag, /** @type {AbortSignal} */ limit) => {
      const headers = { 'Content-Type': 'application/trickle-ice-sdpfrag', 'If-Match': tag };
      return this.#credentials.fetch(this.url, { method: 'PATCH', headers, body: fragment, signal: limit });
    };
    return withTimeout(RESTART_TIMEOUT_MS, signal, async (limit) => {
      // Under the tag that is known, so that one which a bad line delivers late undoes none after it. If it is not the server's, the answer
      // to the last did not come.
      let response = await send(this.etag ?? '*', limit);
      if (response.status === 412) response = await send('*', limit);
      const text = await response.text();
      if (response.status !== 200) throw new Failure(response.status === 404 ? 'lost' : 'refused', `ICE restart: ${response.status}`);
      this.etag = response.headers.get('ETag');
      return text;
    });
  }

  /**
   * Follows the session's labels over HTTP (PROTOCOL.md §3.2).
   * @param {AbortSignal} signal
   * @returns {Promise<ReadableStream<Uint8Array>>} of server-sent events
   * @throws {Error} what fetch throws; Failure `refused`
   */
  async labels(signal) {
    if (!this.#labels) throw new Failure('refused', 'the server has no labels over HTTP');
    const response = await this.#credentials.fetch(this.#labels, { headers: { Accept: 'text/event-stream' }, cache: 'no-store', signal });
    if (response.status !== 200 || !response.body) throw new Failure('refused', `labels over HTTP: ${response.status}`);
    return response.body;
  }

  /** Ends the session. It is sent even while the page is being closed; nobody waits for the answer. */
  delete() {
    this.#credentials.fetch(this.url, { method: 'DELETE', keepalive: true }).catch(() => {
      // The server ends a session that falls silent by itself.
    });
  }
}

/**
 * Offers a stream.
 * @param {string} endpoint
 * @param {string} offer SDP
 * @param {AbortSignal} signal
 * @param {Credentials} [visitor]
 * @returns {Promise<WhipSession>}
 * @throws {Failure} unreachable, full, shutdown, unauthorized or refused
 */
export async function publish(endpoint, offer, signal, visitor = new Credentials(endpoint)) {
  const response = await post(endpoint, offer, signal, visitor);
  if (response.status === 201) {
    const location = response.headers.get('Location');
    if (!location) throw new Failure('refused', 'the answer has no Location');
    const url = new URL(location, response.url || endpoint).href;
    return new WhipSession(url, response.headers, await response.text(), visitor);
  }
  const { type, detail, ahead } = await readProblem(response);
  const wait = response.headers.get('Retry-After');
  if (response.status === 503 && wait !== null) {
    const draining = type === 'urn:mindflow:draining';
    throw new Failure(draining ? 'shutdown' : 'full', detail, retryAfter(wait, Date.now()), ahead);
  }
  if (response.status === 429) throw new Failure('full', detail, retryAfter(wait, Date.now()));
  if (response.status === 401) throw new Failure('unauthorized', detail);
  // An older server that stops says 503 without Retry-After, a proxy in front of one that is down 502, 503 or 504.
  const down = [502, 503, 504].includes(response.status);
  throw new Failure(down ? 'unreachable' : 'refused', detail);
}

/** @param {string} endpoint @param {string} offer @param {AbortSignal} signal @param {Credentials} visitor */
async function post(endpoint, offer, signal, visitor) {
  const headers = { 'Content-Type': 'application/sdp' };
  try {
    return await withTimeout(POST_TIMEOUT_MS, signal, (limit) => visitor.fetch(endpoint, { method: 'POST', headers, body: offer, signal: limit }, {
      fresh: true, ticket: true,
    }));
  } catch (error) {
    throw error instanceof Failure ? error : new Failure('unreachable');
  }
}

/**
 * Does something that is aborted after a while, or by signal.
 * @template T
 * @param {number} ms
 * @param {AbortSignal} signal
 * @param {(limit: AbortSignal) => Promise<T>} act
 */
export async function withTimeout(ms, signal, act) {
  const limit = new AbortController();
  const forward = () => limit.abort();
  signal.addEventListener('abort', forward, { once: true });
  const timer = setTimeout(forward, ms);
  try {
    return await act(limit.signal);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', forward);
  }
}

/**
 * What an error answer says: the type of a problem document (RFC 9457), for programs; its detail, for people, else the
 * status; and of a full server that has newcomers wait in turn, how many come before.
 * @param {Response} response
 * @returns {Promise<{type: string, detail: string, ahead?: number}>}
 */
async function readProblem(response) {
  const status = `${response.status} ${response.statusText}`.trim();
  if (!response.headers.get('Content-Type')?.startsWith('application/problem+json')) return { type: '', detail: status };
  try {
    const { type, title, detail, ahead } = await response.json();
    const queued = type === 'urn:mindflow:waiting' && Number.isInteger(ahead) && ahead >= 0;
    return { type: String(type), detail: String(detail || title || status), ahead: queued ? ahead : undefined };
  } catch {
    return { type: '', detail: status };
  }
}
