// Link headers (RFC 8288): ICE servers (RFC 9725 §4.6) and the address of a session's labels.

/**
 * @param {string | null} header the response's Link headers, joined by commas
 * @returns {RTCIceServer[]}
 */
export function iceServers(header) {
  const servers = [];
  for (const { url, params } of links(header)) {
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

/** Returns the first target with a relation. @param {string | null} header @param {string} relation */
export function linkTarget(header, relation) {
  return links(header).find(({ params }) => params.get('rel') === relation)?.url;
}

/** @param {string | null} header */
function links(header) {
  return [...(header ?? '').matchAll(/<([^>]*)>((?:\s*;\s*[\w-]+\s*=\s*(?:"[^"]*"|[^\s;,"]*))*)/g)]
    .map(([, url, rest]) => {
    /** @type {Map<string, string>} */
    const params = new Map();
    for (const [, key, quoted, plain] of rest.matchAll(/;\s*([\w-]+)\s*=\s*(?:"([^"]*)"|([^\s;,"]*))/g)) {
      params.set(key.toLowerCase(), quoted ?? plain);
    }
    return { url, params };
  });
}
