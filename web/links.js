// ICE servers in Link headers (RFC 9725 §4.6).

/**
 * @param {string | null} header the response's Link headers, joined by commas
 * @returns {RTCIceServer[]}
 */
export function iceServers(header) {
  const servers = [];
  for (const [, url, rest] of (header ?? '').matchAll(/<([^>]*)>((?:\s*;\s*[\w-]+\s*=\s*(?:"[^"]*"|[^\s;,"]*))*)/g)) {
    const params = new Map();
    for (const [, key, quoted, plain] of rest.matchAll(/;\s*([\w-]+)\s*=\s*(?:"([^"]*)"|([^\s;,"]*))/g)) {
      params.set(key.toLowerCase(), quoted ?? plain);
    }
    if (params.get('rel') !== 'ice-server' || !/^(stun|turn)s?:/.test(url)) continue;
    /** @type {RTCIceServer} */
    const server = { urls: url };
    if (params.has('username')) {
      server.username = params.get('username');
      server.credential = params.get('credential') ?? '';
    }
    servers.push(server);
  }
  return servers;
}
