// When to try again.

/** Delay before the first, second, … attempt; the last one repeats. Seconds. */
export const STEPS = [0.5, 1, 2, 4, 8];

/** Attempts in a row before the page gives up and shows a button. */
export const MAX_ATTEMPTS = 10;

/**
 * Returns the delay before an attempt, with ±25 % jitter, so that not all pages of a restarted server
 * reconnect at the same moment.
 * @param {number} attempt from 1
 * @param {() => number} [random] 0..1
 * @returns {number} seconds
 */
export function backoff(attempt, random = Math.random) {
  const step = STEPS[Math.min(attempt, STEPS.length) - 1];
  return step * (0.75 + 0.5 * random());
}

const FULL_DEFAULT = 10;
const FULL_MIN = 1;
const FULL_MAX = 300;

/**
 * Parses a Retry-After header (RFC 9110 §10.2.3): seconds or a date.
 * @param {string | null} header
 * @param {number} now milliseconds since 1970
 * @returns {number} seconds, 1..300; 10 when the header is missing or unreadable
 */
export function retryAfter(header, now) {
  const text = (header ?? '').trim();
  const seconds = /^\d+$/.test(text) ? Number(text) : (Date.parse(text) - now) / 1000;
  if (Number.isNaN(seconds)) return FULL_DEFAULT;
  return Math.min(Math.max(seconds, FULL_MIN), FULL_MAX);
}
