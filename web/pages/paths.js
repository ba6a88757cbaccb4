// The network paths to the server: which ones an answer offers, and advice when none works.

/** @typedef {'udp' | 'tcp' | 'relay'} Path */

/**
 * @typedef {object} ServerAddress
 * @property {'udp' | 'tcp'} protocol
 * @property {string} address
 * @property {number} port
 */

/**
 * @typedef {{from: string, relay: string, to: string, protocol: string}} Pair candidate types; relay: the protocol to
 *   the relay, or empty
 */

/**
 * The result of one path.
 * @typedef {object} Outcome
 * @property {Path} path
 * @property {'works' | 'fails' | 'absent' | 'skipped'} result absent: not offered by the server
 * @property {ServerAddress[]} tried
 * @property {Pair} [pair] the candidate pair that ICE selected
 * @property {number} [connectMs] from the offer to the connection
 * @property {number} [roundTripMs]
 * @property {number} [labelMs] from the connection to the first label; absent if none arrived
 * @property {number} [sent] connectivity checks sent
 * @property {number} [answered] connectivity checks answered
 * @property {number} [own] number of local candidates
 * @property {string} [error] message of the server or the browser, may be empty; absent if a connection was attempted
 * @property {import('../client/states.js').Reason} [reason] of the error
 */

/**
 * Returns the server's candidate addresses in an answer.
 * @param {string} sdp
 * @returns {ServerAddress[]} without duplicates
 */
export function candidateAddresses(sdp) {
  const found = new Map();
  for (const [, protocol, address, port] of sdp.matchAll(/^a=candidate:\S+ \d+ (\S+) \d+ (\S+) (\d+) /gm)) {
    const kind = protocol.toLowerCase();
    if (kind !== 'udp' && kind !== 'tcp') continue;
    found.set(`${kind} ${address} ${port}`, { protocol: kind, address, port: Number(port) });
  }
  return [...found.values()];
}

/**
 * Removes the candidates of the other protocol from an answer.
 * @param {string} sdp
 * @param {'udp' | 'tcp'} protocol
 */
export function onlyProtocol(sdp, protocol) {
  return sdp.split('\r\n').filter((line) => !line.startsWith('a=candidate:')
    || line.split(' ')[2].toLowerCase() === protocol).join('\r\n');
}

/**
 * Reports whether an address is only valid within a network or a machine (RFC 1918, 3927, 4193, 4291, 6598).
 * @param {string} address
 */
export function isPrivate(address) {
  const bare = address.replace(/^\[|\]$/g, '').toLowerCase();
  if (bare === 'localhost' || bare.endsWith('.localhost') || bare.endsWith('.local')) return true;
  if (bare.includes(':')) return bare === '::1' || /^f[cd]|^fe[89ab]/.test(bare);
  const parts = bare.split('.').map(Number);
  if (parts.length !== 4 || parts.some((n) => !(n >= 0 && n <= 255))) return false;
  const [a, b] = parts;
  return a === 10 || a === 127 || (a === 172 && b >= 16 && b < 32) || (a === 192 && b === 168)
    || (a === 169 && b === 254) || (a === 100 && b >= 64 && b < 128);
}

/** @param {ServerAddress[]} list @returns {string} */
export function formatAddresses(list) {
  return list.map(({ address, port, protocol }) =>
    `${address.includes(':') ? `[${address}]` : address}:${port} (${protocol.toUpperCase()})`).join(', ');
}

/**
 * The conclusion of the test.
 * @typedef {object} Verdict
 * @property {'good' | 'fair' | 'bad'} grade
 * @property {string} title
 * @property {string} why
 * @property {string[]} steps what to do, and who
 */

/**
 * Returns why a path could not be tested.
 * @param {Outcome} outcome with an error
 * @param {import('../words/pages/selftest.js').Texts} words
 */
export function skipReason({ error, reason }, { errors }) {
  if (!reason) return error ?? '';
  const text = Object.hasOwn(errors, reason) ? errors[/** @type {keyof typeof errors} */ (reason)] : errors.other;
  return error ? `${text}: ${error}` : text;
}

/**
 * @param {Outcome[]} outcomes
 * @param {string} host of the page
 * @param {import('../words/pages/selftest.js').Texts} words
 * @returns {Verdict}
 */
export function verdict(outcomes, host, words) {
  const works = outcomes.find((o) => o.result === 'works');
  if (!works) return noPath(outcomes, host, words);
  if (works.labelMs === undefined) return { grade: 'bad', ...words.verdict.noLabels };
  if (works.path === 'udp') return { grade: 'good', ...words.verdict.udp };
  const udp = outcomes.find((o) => o.path === 'udp');
  return { grade: 'fair', ...words.verdict[works.path], steps: udp ? openUDP(udp, host, words) : [] };
}

/**
 * @param {Outcome[]} outcomes
 * @param {string} host
 * @param {import('../words/pages/selftest.js').Texts} words
 * @returns {Verdict}
 */
function noPath(outcomes, host, words) {
  const { noToken, notBegun, forbidden, halfOpen, silent } = words.verdict;
  const tried = outcomes.filter((o) => o.result === 'fails');
  const stopped = outcomes.find((o) => o.error !== undefined && o.tried.length === 0);
  if (stopped) {
    return { grade: 'bad', ...(stopped.reason === 'unauthorized' ? noToken : notBegun),
      why: `${skipReason(stopped, words)}.` };
  }
  if (tried.length > 0 && tried.every((o) => o.own === 0)) return { grade: 'bad', ...forbidden };
  if (tried.some((o) => (o.answered ?? 0) > 0)) return { grade: 'bad', ...halfOpen };
  const udp = outcomes.find((o) => o.path === 'udp');
  return { grade: 'bad', ...silent, steps: udp ? openUDP(udp, host, words) : [] };
}

/**
 * @param {Outcome} udp
 * @param {string} host
 * @param {import('../words/pages/selftest.js').Texts} words
 * @returns {string[]}
 */
function openUDP(udp, host, words) {
  const ports = [...new Set(udp.tried.map((a) => a.port))].join(words.and);
  const inside = udp.tried.length > 0 && udp.tried.every((a) => isPrivate(a.address)) && !isPrivate(host);
  return (inside ? words.inside : words.closed)(formatAddresses(udp.tried), ports);
}
