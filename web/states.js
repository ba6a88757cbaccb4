// The states of the client, and why it failed. words.js has a text for each.

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
  'unreachable', // no answer over HTTP
  'full', // no place on the server
  'refused', // an answer over HTTP that says no
  'blocked', // HTTP works, media does not come through
  'lost', // the connection broke
  'version', // another version of the protocol
  'idle', // the server's farewells
  'no-media',
  'shutdown',
  'ended', // any other farewell
]);

/** @typedef {(typeof PHASES)[number]} Phase */
/** @typedef {(typeof REASONS)[number]} Reason */

/**
 * @typedef {object} State
 * @property {Phase} phase
 * @property {Reason} [reason] why it failed, or why it tries again
 * @property {string} [detail] what the server or the browser said
 * @property {number} [attempt] of reconnecting, from 1
 * @property {number} [retryAt] milliseconds on performance.now's clock
 */

/** Why something cannot go on. */
export class Failure extends Error {
  /**
   * @param {Reason} reason
   * @param {string} [detail]
   * @param {number} [retryAfter] seconds, of a full server
   */
  constructor(reason, detail = '', retryAfter = 0) {
    super(detail ? `${reason}: ${detail}` : reason);
    this.name = 'Failure';
    this.reason = reason;
    this.detail = detail;
    this.retryAfter = retryAfter;
  }
}

/**
 * Whether a failure may pass by itself, so that trying again without a hand makes sense.
 * @param {Reason} reason
 */
export function passes(reason) {
  return reason === 'lost' || reason === 'unreachable' || reason === 'blocked' || reason === 'shutdown';
}
