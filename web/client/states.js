// The states of the client and the reasons of failures. words/en.js has a text for each.

export const PHASES = /** @type {const} */ ([
  'idle', // not started
  'asking', // the browser asks for the camera
  'connecting',
  'live',
  'paused', // the camera is on, nothing is sent
  'reconnecting', // waits or connects again
  'full', // waits for a place on the server
  'stopped', // by the visitor; everything is released
  'failed', // see the reason; everything is released
]);

export const REASONS = /** @type {const} */ ([
  'insecure', // no camera on a page without HTTPS
  'unsupported', // no WebRTC
  'no-camera',
  'denied', // by the visitor or the system
  'policy', // by the page that the element is in, or by the frame
  'busy', // another program uses the camera
  'camera-failed', // the camera cannot be opened for another reason
  'camera-lost', // the camera was taken away while in use
  'source', // the supplied source cannot be read
  'format', // the browser has no decoder for the file
  'unreachable', // no answer over HTTP
  'full', // no place on the server
  'unauthorized', // a token is missing or not accepted
  'refused', // the server refused over HTTP
  'blocked', // HTTP works, but media does not pass
  'lost', // the connection broke
  'version', // another version of the protocol
  'idle', // reasons of the server's bye
  'no-media',
  'shutdown',
  'time', // the session reached its maximum length
  'replaced', // by another session of the same token
  'too-large', // the pictures, for the server
  'internal', // a fault in the server
  'ended', // any other bye
]);

/** @typedef {(typeof PHASES)[number]} Phase */
/** @typedef {(typeof REASONS)[number]} Reason */

/**
 * @typedef {object} State
 * @property {Phase} phase
 * @property {Reason} [reason] of the failure or of the reconnection
 * @property {boolean} [supplied] whether the picture comes from a supplied source, not from a camera
 * @property {string} [detail] text from the server or the browser
 * @property {number} [attempt] number of the reconnection, from 1
 * @property {number} [ahead] people ahead in the queue for a place
 * @property {number} [retryAt] milliseconds on performance.now's clock
 */

/** The reason why the client cannot continue. */
export class Failure extends Error {
  /**
   * @param {Reason} reason
   * @param {string} [detail]
   * @param {number} [retryAfter] seconds, from a server that is full or about to stop
   * @param {number} [ahead] people ahead, if the server queues newcomers
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
 * Reports whether a failure may be temporary, so that the client tries again by itself.
 * @param {Reason} reason
 */
export function isTransient(reason) {
  return reason === 'lost' || reason === 'unreachable' || reason === 'blocked' || reason === 'shutdown';
}

/**
 * Reports whether the server ended the session for lack of media. Such a bye may be on its way while the page resumes.
 * @param {Reason} reason
 */
export function endedForInactivity(reason) {
  return reason === 'idle' || reason === 'no-media';
}
