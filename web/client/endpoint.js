/** Where a server takes sessions. @param {string} src its address, with or without a slash at the end @returns {URL} of WHIP */
export function whipEndpoint(src) {
  return new URL('whip', src.replace(/\/*$/, '/'));
}
