// Waiting for a place on a server that is full (PROTOCOL.md §1.1).

import { Failure } from './states.js';
import { withTimeout } from './whip.js';
import { parseWaiting, WireError } from './wire.js';

const TIMEOUT_MS = 10_000;

/** @param {string} endpoint of WHIP */
function waitingUrl(endpoint) {
  return new URL('waiting', endpoint).href;
}

/**
 * Asks whether it is the visitor's turn.
 * @param {string} endpoint of WHIP
 * @param {import('./credentials.js').Credentials} visitor
 * @param {AbortSignal} signal
 * @returns {Promise<import('./wire.js').Waiting | undefined>} undefined when the ticket waits for nothing any more
 * @throws {Failure} unreachable, unauthorized
 */
export async function pollQueue(endpoint, visitor, signal) {
  try {
    const response = await withTimeout(TIMEOUT_MS, signal, (limit) => visitor.fetch(waitingUrl(endpoint), { signal: limit, cache: 'no-store' }, {
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

/** Gives the place in the queue up. @param {string} endpoint of WHIP @param {import('./credentials.js').Credentials} visitor */
export function leaveQueue(endpoint, visitor) {
  visitor.fetch(waitingUrl(endpoint), { method: 'DELETE', keepalive: true }, { ticket: true }).catch(() => {
    // The server forgets by itself who does not ask any more.
  });
  visitor.ticket = '';
}

const KEY = 'mindflow-ticket ';

/** Leaves the ticket for this tab's next page: one that is loaded again keeps its place. @param {string} endpoint @param {string} ticket */
export function storeTicket(endpoint, ticket) {
  try {
    if (ticket) sessionStorage.setItem(KEY + endpoint, ticket);
  } catch {
    // Without storage, as in a frame that may have none, a page that is loaded again waits anew.
  }
}

/** Takes the ticket that the page before has left, so that a copy of the tab has none. @param {string} endpoint */
export function takeTicket(endpoint) {
  try {
    const ticket = sessionStorage.getItem(KEY + endpoint) ?? '';
    sessionStorage.removeItem(KEY + endpoint);
    return ticket;
  } catch {
    return '';
  }
}
