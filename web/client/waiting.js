// The queue for a place on a full server (PROTOCOL.md §1.1).

import { Failure } from './states.js';
import { withTimeout } from './whip.js';
import { parseWaiting, WireError } from './wire.js';

const TIMEOUT_MS = 10_000;

/** @param {string} endpoint of WHIP */
function waitingUrl(endpoint) {
  return new URL('waiting', endpoint).href;
}

/**
 * Asks for the place in the queue.
 * @param {string} endpoint of WHIP
 * @param {import('./credentials.js').Credentials} credentials
 * @param {AbortSignal} signal
 * @returns {Promise<import('./wire.js').Waiting | undefined>} undefined if the ticket is not in the queue any more
 * @throws {Failure} unreachable, unauthorized
 */
export async function pollQueue(endpoint, credentials, signal) {
  try {
    const response = await withTimeout(TIMEOUT_MS, signal,
      (limit) => credentials.fetch(waitingUrl(endpoint), { signal: limit, cache: 'no-store' }, {
      ticket: true,
    }));
    if (response.status === 404) return undefined;
    if (response.status === 401) throw new Failure('unauthorized');
    if (!response.ok) throw new Failure('unreachable');
    return parseWaiting(await response.text());
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new Failure('unreachable', error instanceof WireError ? error.message : '');
  }
}

/**
 * Gives up the place in the queue.
 * @param {string} endpoint of WHIP
 * @param {import('./credentials.js').Credentials} credentials
 */
export function leaveQueue(endpoint, credentials) {
  credentials.fetch(waitingUrl(endpoint), { method: 'DELETE', keepalive: true }, { ticket: true }).catch(() => {
    // The server forgets tickets that are not asked about.
  });
  credentials.ticket = '';
}

const KEY = 'mindflow-ticket ';

/**
 * Stores the ticket for this tab, so that a reloaded page keeps its place.
 * @param {string} endpoint
 * @param {string} ticket
 */
export function storeTicket(endpoint, ticket) {
  try {
    if (ticket) sessionStorage.setItem(KEY + endpoint, ticket);
  } catch {
    // Without storage, as in some frames, a reloaded page queues anew.
  }
}

/** Takes the stored ticket. It is removed, so that a copy of the tab does not use it too. @param {string} endpoint */
export function takeTicket(endpoint) {
  try {
    const ticket = sessionStorage.getItem(KEY + endpoint) ?? '';
    sessionStorage.removeItem(KEY + endpoint);
    return ticket;
  } catch {
    return '';
  }
}
