// A worker that passes encoded frames through unchanged and reports when it saw them (WebRTC Encoded Transform).

const FIRST_FRAMES = 8; // frames that are reported at once
const EVERY_MS = 250; // afterwards, the fastest frame of each such interval is reported

/** @typedef {{id: number, rtp: number, at: number}} Stamp id: of the sender; at: ms since the epoch */

const post = (/** @type {'ready' | Stamp} */ message) => postMessage(message);

/** @param {any} event RTCTransformEvent, which TypeScript's DOM library lacks */
function observe({ transformer: { readable, writable, options } }) {
  let seen = 0;
  let postedAt = 0;
  /** @type {Stamp | undefined} */
  let best;
  const watch = new TransformStream({
    transform(frame, out) {
      out.enqueue(frame); // first of all, so that the frame is not delayed
      const rtp = frame.getMetadata().rtpTimestamp ?? frame.timestamp;
      const at = performance.timeOrigin + performance.now();
      const stamp = { id: options.id, rtp, at };
      if (!best || at - best.at < ((rtp - best.rtp) | 0) / 90) best = stamp;
      if (++seen > FIRST_FRAMES && at - postedAt < EVERY_MS) return;
      post(best);
      postedAt = at;
      best = undefined;
    },
  });
  readable.pipeThrough(watch).pipeTo(writable).catch(() => {}); // the connection has ended
}

Object.assign(self, { onrtctransform: observe });
post('ready');
