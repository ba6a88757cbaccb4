// When pictures were captured that bear no such time, as in Firefox: from when they were shown, and from the capture times of frames that
// labels came for. Pure: times are milliseconds.
//
// Pictures are shown in the order in which they were captured, each once, mostly as long after its capture as the one before. Now and then one
// is shown late, or not at all. Of all ways to lay pictures over frames the likeliest is taken (Viterbi's algorithm).

const SPAN_MS = 2500; // of pictures and frames that are looked at
const MAX_TIMES = 48; // of either
const EARLY_COST = 6; // what a picture costs that was shown a frame's time earlier than others
const LATE_COST = 1; // or later
const LOST_COST = 2.5; // what a frame costs that was not shown
const REPEAT_COST = 4; // or that two pictures are of
const LAG_WEIGHT = 0.1; // of a new lag
const LAG_MS = 5; // Chromium tells a time about 1 ms before the capture as clock.js knows it, Firefox one 12 ms after

export class Alignment {
  /** @type {number[]} when pictures were shown, oldest first */
  #shown = [];
  /** @type {number[]} when frames were captured that there are labels of, oldest first */
  #sent = [];
  #lag = LAG_MS; // from capture to screen, as a rule
  /** @type {Map<number, number> | undefined} capture times by when a picture was shown; undefined when something has come since */
  #captureTimes;

  /** A picture was shown. @param {number} t */
  addPicture(t) {
    remember(this.#shown, t);
    this.#captureTimes = undefined;
  }

  /** Labels came. @param {number} t when their frame was captured */
  addFrame(t) {
    remember(this.#sent, t);
    this.#captureTimes = undefined;
  }

  /** When the picture was captured that was shown at `t`. @param {number} t */
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
    /** @type {Int16Array[]} by picture and frame: the frame of the picture before */
    const from = [];
    let sums = Float64Array.from(frames, (c) => cost(shown[0], c));
    for (let i = 1; i < shown.length; i++) {
      const back = new Int16Array(frames.length);
      const next = new Float64Array(frames.length);
      let [best, bestAt] = [Infinity, 0]; // of those before j, with what is lost up to there
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

/** Adds a time to those that are remembered. @param {number[]} times @param {number} t */
function remember(times, t) {
  const last = times.at(-1) ?? -Infinity;
  if (t <= last) {
    if (last - t < SPAN_MS) return;
    times.length = 0; // another clock
  }
  times.push(t);
  while (times.length > MAX_TIMES || times[0] < t - SPAN_MS) times.shift();
}

/** Frames with those between them that there are no labels of, and those since. @param {readonly number[]} sent @param {number} interval @param {number} end */
function fillGaps(sent, interval, end) {
  const all = [sent[0]];
  for (const t of sent.slice(1)) {
    const last = all[all.length - 1];
    const n = Math.min(MAX_TIMES, Math.max(1, Math.round((t - last) / interval)));
    for (let k = 1; k < n; k++) all.push(last + (k * (t - last)) / n);
    all.push(t);
  }
  for (let t = all[all.length - 1] + interval; t < end + interval && all.length < 3 * MAX_TIMES; t += interval) all.push(t);
  return all;
}

/** @param {readonly number[]} times @param {number} t */
const nearest = (times, t) => times.reduce((a, b) => (Math.abs(b - t) < Math.abs(a - t) ? b : a));

/** @param {number[]} values */
const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];
