// The states of the client, and why it failed. words-en.js has a text for each.

export const PHASES = /** @type {const} */ ([
  'idle', // not started
  'asking', // the browser asks for the camera
  'connecting',
  'live',
  'paused', // the camera is on, nothing is sent
  'reconnecting', // waits, or tries again
  'full', // waits for a place on the server
  'stopped', // by the visitor; everything is released
  'failed', // see the reason; everything is released
]);

export const REASONS = /** @type {const} */ ([
  'insecure', // no camera on a page without HTTPS
  'unsupported', // no WebRTC
  'no-camera',
  'denied',
  'busy', // another program holds the camera
  'camera-failed', // another failure to open it
  'camera-lost', // it ended while in use
  'source', // a picture that was given cannot be read
  'unreachable', // no answer over HTTP
  'full', // no place on the server
  'unauthorized', // a token is needed, or another one
  'refused', // an answer over HTTP that says no
  'blocked', // HTTP works, media does not come through
  'lost', // the connection broke
  'version', // another version of the protocol
  'idle', // the server's farewells
  'no-media',
  'shutdown',
  'time', // the session lasted as long as it may
  'replaced', // by a session of the same visitor's
  'too-large', // pictures, for the server
  'internal', // a fault of the server's
  'ended', // any other farewell
]);

/** @typedef {(typeof PHASES)[number]} Phase */
/** @typedef {(typeof REASONS)[number]} Reason */

/**
 * @typedef {object} State
 * @property {Phase} phase
 * @property {Reason} [reason] why it failed, or why it tries again
 * @property {boolean} [supplied] the picture is one that was given, not a camera's
 * @property {string} [detail] what the server or the browser said
 * @property {number} [attempt] of reconnecting, from 1
 * @property {number} [ahead] people who come before, of those who wait for a place in turn
 * @property {number} [retryAt] milliseconds on performance.now's clock
 */

/** Why something cannot go on. */
export class Failure extends Error {
  /**
   * @param {Reason} reason
   * @param {string} [detail]
   * @param {number} [retryAfter] seconds, of a server that is full or about to stop
   * @param {number} [ahead] people who come before, where a full server has newcomers wait in turn
   */
  constructor(reason, detail = '', retryAfter = 0, ahead = undefined) {
    super(detail ? `${reason}: ${detail}` : reason);
    this.name = 'Failure';
    this.reason = reason;
    this.detail = detail;
    this.retryAfter = retryAfter;
    this.ahead = ahead;
  }
}

/**
 * Whether a failure may pass by itself, so that trying again without a hand makes sense.
 * @param {Reason} reason
 */
export function isTransient(reason) {
  return reason === 'lost' || reason === 'unreachable' || reason === 'blocked' || reason === 'shutdown';
}

/**
 * Whether the server ended a session because nothing came in it. Its word may be under way while the page asks to resume.
 * @param {Reason} reason
 */
export function endedForInactivity(reason) {
  return reason === 'idle' || reason === 'no-media';
}
