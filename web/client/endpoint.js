/**
 * Returns the WHIP endpoint of a server.
 * @param {string} src its address, with or without a trailing slash
 * @returns {URL}
 */
export function whipEndpoint(src) {
  return new URL('whip', src.replace(/\/*$/, '/'));
}
