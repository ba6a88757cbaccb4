// The HTTP half of WHIP (RFC 9725): a POST opens a session, PATCH adds candidates, DELETE ends it.

import { retryAfter } from './backoff.js';
import { iceServers } from './links.js';
import { Failure } from './states.js';

const POST_TIMEOUT_MS = 10_000;

/** A session that the server has opened. */
export class Resource {
  /** @param {string} url @param {string | null} etag @param {string} answer @param {RTCIceServer[]} servers */
  constructor(url, etag, answer, servers) {
    this.url = url;
    this.etag = etag;
    this.answer = answer;
    this.iceServers = servers;
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
    const response = await fetch(this.url, { method: 'PATCH', headers, body: fragment, signal });
    return response.ok;
  }

  /** Ends the session. It is sent even while the page is being closed; nobody waits for the answer. */
  delete() {
    fetch(this.url, { method: 'DELETE', keepalive: true }).catch(() => {
      // The server ends a session that falls silent by itself.
    });
  }
}

/**
 * Offers a stream.
 * @param {string} endpoint
 * @param {string} offer SDP
 * @param {AbortSignal} signal
 * @returns {Promise<Resource>}
 * @throws {Failure} unreachable, full or refused
 */
export async function publish(endpoint, offer, signal) {
  const response = await post(endpoint, offer, signal);
  if (response.status === 201) {
    const location = response.headers.get('Location');
    if (!location) throw new Failure('refused', 'the answer has no Location');
    const url = new URL(location, response.url || endpoint).href;
    return new Resource(url, response.headers.get('ETag'), await response.text(), iceServers(response.headers.get('Link')));
  }
  const detail = await problem(response);
  const wait = response.headers.get('Retry-After');
  if (response.status === 503 && wait !== null) {
    throw new Failure('full', detail, retryAfter(wait, Date.now()));
  }
  // A server that stops says 503 without Retry-After, a proxy in front of one that is down 502, 503 or 504.
  const down = [502, 503, 504].includes(response.status);
  throw new Failure(down ? 'unreachable' : 'refused', detail);
}

/** @param {string} endpoint @param {string} offer @param {AbortSignal} signal */
async function post(endpoint, offer, signal) {
  const limit = new AbortController();
  const forward = () => limit.abort();
  signal.addEventListener('abort', forward, { once: true });
  const timer = setTimeout(forward, POST_TIMEOUT_MS);
  try {
    return await fetch(endpoint, {
      method: 'POST',
      headers: { 'Content-Type': 'application/sdp' },
      body: offer,
      signal: limit.signal,
    });
  } catch {
    throw new Failure('unreachable');
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', forward);
  }
}

/**
 * What an error answer says for people: the detail of a problem document (RFC 9457), else the status.
 * @param {Response} response
 */
async function problem(response) {
  const status = `${response.status} ${response.statusText}`.trim();
  if (!response.headers.get('Content-Type')?.startsWith('application/problem+json')) return status;
  try {
    const { title, detail } = await response.json();
    return String(detail || title || status);
  } catch {
    return status;
  }
}
