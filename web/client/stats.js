// The browser's statistics of a connection (W3C webrtc-stats).

/**
 * @typedef {{bytes: number, frames: number, width: number, height: number, encodeMs: number}} SentVideo totals so far;
 *   encodeMs: average per frame
 */

/**
 * @typedef {{roundTrip: number | undefined, sent: SentVideo | undefined}} ConnectionStats roundTrip: seconds, measured
 *   by ICE; undefined until known
 */

/** @param {RTCPeerConnection} pc @returns {Promise<ConnectionStats>} */
export async function connectionStats(pc) {
  const stats = await pc.getStats();
  let pair;
  /** @type {SentVideo | undefined} */
  let sent;
  for (const s of stats.values()) {
    if (s.type === 'transport' && s.selectedCandidatePairId) pair = stats.get(s.selectedCandidatePairId);
    else if (s.type === 'candidate-pair' && s.nominated && s.state === 'succeeded') pair ??= s;
    else if (s.type === 'outbound-rtp' && s.frameWidth) {
      const frames = s.framesEncoded ?? 0;
      sent = {
        bytes: s.bytesSent ?? 0, frames, width: s.frameWidth, height: s.frameHeight,
        encodeMs: frames > 0 ? (1000 * (s.totalEncodeTime ?? 0)) / frames : 0,
      };
    }
  }
  return { roundTrip: pair?.currentRoundTripTime, sent };
}

/**
 * @param {RTCPeerConnection} pc
 * @returns {Promise<import('./recovery.js').TrafficCounters>} zeros after the connection was closed
 */
export async function trafficCounters(pc) {
  let sent = 0;
  let received = 0;
  if (pc.signalingState === 'closed') return { sent, received };
  for (const s of (await pc.getStats()).values()) {
    if (s.type === 'outbound-rtp') sent += s.packetsSent ?? 0;
    else if (s.type === 'candidate-pair') received += s.bytesReceived ?? 0;
  }
  return { sent, received };
}
