// SDP fragments that carry trickled ICE candidates in WHIP (RFC 8840, RFC 9725 §4.3.1).

/**
 * @typedef {object} Candidate
 * @property {string} candidate as in RTCIceCandidate: "candidate:…"
 * @property {string | null} sdpMid
 */

/**
 * Writes the fragment that announces candidates.
 * @param {string} offer the local description that they belong to
 * @param {Candidate[]} candidates
 * @param {boolean} end whether these are the last ones
 * @returns {string}
 */
export function sdpFragment(offer, candidates, end) {
  const lines = offer.split(/\r?\n/);
  const value = (/** @type {string} */ name) => lines.find((l) => l.startsWith(`a=${name}:`));
  const out = [value('group'), value('ice-ufrag'), value('ice-pwd')].filter((l) => l !== undefined);
  for (const section of sections(lines)) {
    const own = candidates.filter((c) => c.sdpMid === section.mid && c.candidate !== '');
    // With BUNDLE all media share the first section's transport, so the end is announced there.
    const ends = end && section.first;
    if (own.length === 0 && !ends) continue;
    out.push(section.line, `a=mid:${section.mid}`);
    for (const c of own) out.push(`a=${c.candidate}`);
    if (ends) out.push('a=end-of-candidates');
  }
  return out.join('\r\n') + '\r\n';
}

/**
 * Returns a description whose ICE credentials and candidates are replaced by those of a fragment, as after a full
 * exchange for an ICE restart.
 * @param {string} description
 * @param {string} fragment from the server
 * @returns {string}
 */
export function applyIceRestart(description, fragment) {
  const theirs = fragment.split(/\r?\n/);
  /** @type {Map<string, string[]>} candidates and end-of-candidates lines by section */
  const found = new Map();
  let mid = '';
  for (const line of theirs) {
    if (line.startsWith('m=')) mid = '';
    else if (line.startsWith('a=mid:')) mid = line.slice(6);
    else if (isCandidate(line)) found.set(mid, [...(found.get(mid) ?? []), line]);
  }
  const value = (/** @type {string} */ name) => theirs.find((l) => l.startsWith(`a=${name}:`));
  const credentials = ['ice-ufrag', 'ice-pwd'];
  const out = [];
  for (const line of description.split(/\r?\n/)) {
    if (isCandidate(line)) continue;
    const key = credentials.find((name) => line.startsWith(`a=${name}:`));
    out.push((key && value(key)) ?? line);
    if (line.startsWith('a=mid:')) out.push(...(found.get(line.slice(6)) ?? []));
  }
  return out.join('\r\n');
}

/** @param {string} line */
function isCandidate(line) {
  return line.startsWith('a=candidate:') || line === 'a=end-of-candidates';
}

/** @param {string[]} lines @returns {{line: string, mid: string, first: boolean}[]} */
function sections(lines) {
  const found = [];
  for (const line of lines) {
    if (line.startsWith('m=')) found.push({ line, mid: '', first: found.length === 0 });
    else if (line.startsWith('a=mid:') && found.length > 0) found[found.length - 1].mid = line.slice(6);
  }
  return found;
}
