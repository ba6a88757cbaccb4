// Estimates the capture times of pictures without a capture timestamp, as in Firefox, from their display times and the
// capture times of the frames that have labels. Pure: times are milliseconds.
//
// Pictures are displayed in capture order, each once, usually with the same lag. Now and then one is late or skipped.
// Firefox reports most pictures 11 to 14 ms after their capture, one in twenty 45 ms and more. Its `mediaTime` is the
// same moment on the clock of its audio graph, in steps of 12 ms. Viterbi's algorithm finds the likeliest assignment of
// pictures to frames.

const SPAN_MS = 2500; // of pictures and frames that are considered
const MAX_TIMES = 48; // of pictures, and of frames
const EARLY_COST = 6; // per frame interval that a picture was displayed early
const LATE_COST = 1; // per frame interval that a picture was displayed late
const LOST_COST = 2.5; // for a frame that was not displayed
const REPEAT_COST = 4; // for two pictures of the same frame
const LAG_WEIGHT = 0.1; // of a new measurement of the lag
// initial value: in Chromium a picture's time is about 1 ms before the capture time of clock.js, in Firefox about 12 ms
// after
const LAG_MS = 5;

export class Alignment {
  /** @type {number[]} display times of pictures, oldest first */
  #shown = [];
  /** @type {number[]} capture times of frames that have labels, oldest first */
  #sent = [];
  #lag = LAG_MS; // usual time from capture to display
  /** @type {Map<number, number> | undefined} capture times by display time; undefined if they must be computed again */
  #captureTimes;

  /** Adds a picture. @param {number} t its display time */
  addPicture(t) {
    remember(this.#shown, t);
    this.#captureTimes = undefined;
  }

  /** Adds a frame that has labels. @param {number} t its capture time */
  addFrame(t) {
    remember(this.#sent, t);
    this.#captureTimes = undefined;
  }

  /** Returns the capture time of a picture. @param {number} t its display time */
  captureTime(t) {
    this.#captureTimes ??= this.#align();
    return this.#captureTimes.get(t) ?? t - this.#lag;
  }

  /** @returns {Map<number, number>} */
  #align() {
    const known = /** @type {Map<number, number>} */ (new Map());
    const shown = this.#shown;
    if (shown.length < 3 || this.#sent.length < 2) return known;
    const interval = median(shown.slice(1).map((t, i) => t - shown[i]));
    this.#lag += LAG_WEIGHT * (median(this.#sent.map((c) => nearest(shown, c + LAG_MS) - c)) - this.#lag);
    const frames = fillGaps(this.#sent, interval, (shown.at(-1) ?? 0) - this.#lag);
    const cost = (/** @type {number} */ t, /** @type {number} */ c) => {
      const late = (t - c - this.#lag) / interval;
      return late < 0 ? -EARLY_COST * late : LATE_COST * late;
    };
    /** @type {Int16Array[]} by picture and frame: the frame of the previous picture */
    const from = [];
    let sums = Float64Array.from(frames, (c) => cost(shown[0], c));
    for (let i = 1; i < shown.length; i++) {
      const back = new Int16Array(frames.length);
      const next = new Float64Array(frames.length);
      let [best, bestAt] = [Infinity, 0]; // the cheapest frame before j, with the cost of the skipped ones
      for (let j = 0; j < frames.length; j++) {
        if (j > 0) {
          best += LOST_COST;
          if (sums[j - 1] <= best) [best, bestAt] = [sums[j - 1], j - 1];
        }
        const twice = sums[j] + REPEAT_COST;
        back[j] = twice < best ? j : bestAt;
        next[j] = Math.min(twice, best) + cost(shown[i], frames[j]);
      }
      from.push(back);
      sums = next;
    }
    let j = sums.indexOf(Math.min(...sums));
    for (let i = shown.length - 1; i >= 0; i--) {
      known.set(shown[i], frames[j]);
      if (i > 0) j = from[i - 1][j];
    }
    return known;
  }
}

/** Adds a time, and drops old ones. @param {number[]} times @param {number} t */
function remember(times, t) {
  const last = times.at(-1) ?? -Infinity;
  if (t <= last) {
    if (last - t < SPAN_MS) return;
    times.length = 0; // the clock was reset
  }
  times.push(t);
  while (times.length > MAX_TIMES || times[0] < t - SPAN_MS) times.shift();
}

/**
 * Adds the frames without labels in between and at the end.
 * @param {readonly number[]} sent
 * @param {number} interval
 * @param {number} end
 */
function fillGaps(sent, interval, end) {
  const all = [sent[0]];
  for (const t of sent.slice(1)) {
    const last = all[all.length - 1];
    const n = Math.min(MAX_TIMES, Math.max(1, Math.round((t - last) / interval)));
    for (let k = 1; k < n; k++) all.push(last + (k * (t - last)) / n);
    all.push(t);
  }
  for (let t = all[all.length - 1] + interval; t < end + interval
    && all.length < 3 * MAX_TIMES; t += interval) all.push(t);
  return all;
}

/** @param {readonly number[]} times @param {number} t */
const nearest = (times, t) => times.reduce((a, b) => (Math.abs(b - t) < Math.abs(a - t) ? b : a));

/** @param {number[]} values */
const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];
