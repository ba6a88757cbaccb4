// Reads another session's labels as server-sent events (PROTOCOL.md §3.2), with fetch, so that the token is not part of
// the URL.

import { backoff } from '../client/backoff.js';
import { readServerSentEvents } from '../client/sse.js';
import { Failure } from '../client/states.js';
import { Credentials } from '../client/credentials.js';
import { parseControl, parseLabels, WireError } from '../client/wire.js';

/**
 * @typedef {{type: 'hello', hello: import('../client/wire.js').Hello} | {type: 'labels', labels:
 *   import('../client/wire.js').Labels} | {type: 'waiting'}} SessionEvent waiting: the connection broke and is tried
 *   again
 */

/**
 * Yields the events of a session until it ends. A broken connection is resumed.
 * @param {string} url of the session's labels
 * @param {import('../client/credentials.js').Token} token
 * @param {AbortSignal} signal
 * @returns {AsyncGenerator<SessionEvent, string, void>} the reason of the end, from the server's `bye`
 * @throws {Failure} unauthorized; refused; version; ended, if there is no such session
 */
export async function* watchSession(url, token, signal) {
  const credentials = new Credentials(url);
  credentials.setToken(token);
  let last = '';
  for (let attempt = 1; !signal.aborted; attempt++) {
    const body = await open(url, credentials, last, signal);
    if (body === 'ended') return last ? 'closed' : '';
    try {
      for await (const { type, data, id } of body ? readServerSentEvents(body) : []) {
        last = id || last;
        attempt = 0;
        if (type === 'message') yield { type: 'labels', labels: parseLabels(data) };
        const control = type === 'hello' || type === 'bye' ? parseControl(data) : undefined;
        if (control?.type === 'hello') yield { type: 'hello', hello: control };
        if (control?.type === 'bye' && control.reason !== 'draining') return control.reason;
      }
    } catch (error) {
      if (error instanceof WireError) throw new Failure('version', error.message);
    }
    if (signal.aborted) break;
    yield { type: 'waiting' };
    await pause(1000 * backoff(Math.max(1, attempt)), signal);
  }
  return '';
}

/**
 * @param {string} url @param {Credentials} credentials @param {string} last event's id @param {AbortSignal} signal
 * @returns {Promise<ReadableStream<Uint8Array> | 'ended' | undefined>} undefined if it may be tried again
 */
async function open(url, credentials, last, signal) {
  /** @type {Record<string, string>} */
  const headers = { Accept: 'text/event-stream', ...(last && { 'Last-Event-ID': last }) };
  let response;
  try {
    response = await credentials.fetch(url, { headers, signal, cache: 'no-store' }, { fresh: true });
  } catch (error) {
    if (error instanceof Failure) throw error;
    return undefined;
  }
  if (response.status === 204) return 'ended';
  if (response.ok) return response.body ?? undefined;
  const { detail = '' } = await response.json().catch(() => ({})); // a problem document, or a proxy's page
  if (response.status === 401) throw new Failure('unauthorized', detail);
  if (response.status === 404) throw new Failure('ended');
  // Other client errors are final; a server that is full or stops may answer later.
  if (response.status < 500 && response.status !== 429) throw new Failure('refused', detail);
  return undefined;
}

/** @param {number} ms @param {AbortSignal} signal */
function pause(ms, signal) {
  return new Promise((/** @type {(value: void) => void} */ resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => { clearTimeout(timer); resolve(); }, { once: true });
  });
}
