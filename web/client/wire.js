// The messages of PROTOCOL.md. Each field is checked when it is parsed, so that the rest of the code
// needs no checks of its own.

/** The protocol version of this page. */
export const VERSION = 1;

/**
 * One face of a message.
 * @typedef {object} Face
 * @property {number} id stable while the face stays
 * @property {[number, number, number, number]} box x, y, w, h in fractions of the frame as sent, not mirrored
 * @property {number} score of the detector, 0..1
 * @property {string} label
 * @property {number} confidence smoothed probability of the label, 0..1
 * @property {number} age_ms age of the scores
 * @property {number[]} scores smoothed probabilities, in the order of the hello's labels
 * @property {boolean} uncertain
 * @property {Attention} [attention] if it was requested
 */

/**
 * Where the network looks: one map per head, over a region of the frame.
 * @typedef {object} Attention
 * @property {number} heads
 * @property {number} width of one head's map
 * @property {number} height of one head's map
 * @property {[number, number, number, number]} region x, y, w, h in fractions of the frame as sent, not mirrored
 * @property {[number, number][]} ranges of each head: the network's values at 0 and at 255
 * @property {string} data base64, one byte per value, head by head, row by row
 */

/**
 * The labels of one analysed frame.
 * @typedef {object} Labels
 * @property {1} v
 * @property {number} seq sequence number of the message in its session
 * @property {number} rtp timestamp of the frame, 90 kHz, 32 bits
 * @property {string} [model] name of the model that the scores are from; older servers leave it out
 * @property {number} width of the frame, pixels
 * @property {number} height of the frame, pixels
 * @property {Record<string, number>} dropped frames not analysed so far, by reason
 * @property {{decode: number, detect: number, classify: number, total: number}} ms
 * @property {Face[]} faces
 * @property {number} [captureTime] when the frame was captured, ms of `performance.now()`; not sent, added by the
 *   client where it is known
 */

/**
 * @typedef {{name: string, labels: string[], uncertain: number, attention?: boolean}} Model labels: the order of its
 *   scores
 */
/**
 * @typedef {{v: 1, type: 'hello', session: string, model: Model, models?: Model[]}} Hello models: those on offer, the
 *   default first
 */
/** @typedef {{v: 1, type: 'ok', id: number, model?: Model}} Ok model: the one in use, after `options` */
/** @typedef {{model?: string, attention?: boolean}} Options a field that is absent stays unchanged */
/** @typedef {{v: 1, type: 'error', id?: number, code: string, message: string}} ControlError */
/** @typedef {{v: 1, type: 'bye', reason: string}} Bye */
/**
 * @typedef {{v: 1, type: 'hint', max_side?: number, max_framerate?: number}} Hint the most pixels and frames a second
 *   that the server can use; absent means unlimited
 */
/**
 * The answer of /waiting, to a page in the queue for a place.
 * @typedef {object} Waiting
 * @property {1} v
 * @property {number} ahead people ahead in the queue
 * @property {number} waiting people in the queue
 * @property {boolean} turn whether a place is reserved for this page
 * @property {number} again_ms time until the next request
 * @property {number} [within_ms] time until the reservation ends
 */
/** @typedef {{v: 1, type: 'unknown'}} Unknown a type of a later minor version, to be ignored */
/** @typedef {'pause' | 'resume' | 'options'} RequestType */
/** @typedef {Hello | Ok | ControlError | Bye | Hint | Unknown} Control */

/** A message that breaks the protocol. `field` is the path of the invalid field. */
export class WireError extends Error {
  /** @param {string} field @param {string} want what was expected there */
  constructor(field, want) {
    super(`message field ${field}: want ${want}`);
    this.name = 'WireError';
    this.field = field;
  }
}

const MAX_LABELS = 64;
const MAX_MODELS = 64;
const MAX_ATTENTION = 1024; // values of one face
const MAX_AGAIN = 300_000; // milliseconds
const LEAST_SIDE = 16; // pixels that a hint may ask for

/**
 * Parses a message of the channel `labels`.
 * @param {string} text
 * @returns {Labels}
 * @throws {WireError}
 */
export function parseLabels(text) {
  const m = envelope(text);
  whole(m, 'seq', Number.MAX_SAFE_INTEGER);
  whole(m, 'rtp', 2 ** 32 - 1);
  if (m.model !== undefined) string(m, 'model');
  whole(m, 'width', 65535, 1);
  whole(m, 'height', 65535, 1);
  const dropped = object(m.dropped, 'dropped');
  for (const reason of Object.keys(dropped)) whole(dropped, reason, Number.MAX_SAFE_INTEGER, 0, 'dropped.');
  const ms = object(m.ms, 'ms');
  for (const step of ['decode', 'detect', 'classify', 'total']) within(ms, step, 0, Infinity, 'ms.');
  list(m.faces, 'faces', 0, Infinity).forEach((face, i) => checkFace(face, `faces[${i}]`));
  return /** @type {Labels} */ (/** @type {unknown} */ (m));
}

/**
 * Parses the answer of /waiting.
 * @param {string} text
 * @returns {Waiting}
 * @throws {WireError}
 */
export function parseWaiting(text) {
  const m = envelope(text);
  whole(m, 'ahead', Number.MAX_SAFE_INTEGER);
  whole(m, 'waiting', Number.MAX_SAFE_INTEGER, 1);
  want(typeof m.turn === 'boolean', 'turn', 'true or false');
  within(m, 'again_ms', 1, MAX_AGAIN);
  if (m.within_ms !== undefined) within(m, 'within_ms', 0, Infinity);
  return /** @type {Waiting} */ (/** @type {unknown} */ (m));
}

/**
 * Parses a message that the server sent on the channel `control`.
 * @param {string} text
 * @returns {Control}
 * @throws {WireError}
 */
export function parseControl(text) {
  const m = envelope(text);
  string(m, 'type');
  switch (m.type) {
    case 'hello': {
      string(m, 'session');
      checkModel(m.model, 'model');
      if (m.models !== undefined) {
        list(m.models, 'models', 1, MAX_MODELS).forEach((model, i) => checkModel(model, `models[${i}]`));
      }
      break;
    }
    case 'ok':
      whole(m, 'id', Number.MAX_SAFE_INTEGER);
      if (m.model !== undefined) checkModel(m.model, 'model');
      break;
    case 'error':
      if (m.id !== undefined) whole(m, 'id', Number.MAX_SAFE_INTEGER);
      string(m, 'code');
      want(typeof m.message === 'string', 'message', 'text');
      break;
    case 'bye':
      string(m, 'reason');
      break;
    case 'hint':
      if (m.max_side !== undefined) whole(m, 'max_side', Number.MAX_SAFE_INTEGER, LEAST_SIDE);
      if (m.max_framerate !== undefined) {
        want(Number.isFinite(m.max_framerate) && Number(m.max_framerate) > 0, 'max_framerate', 'a number over 0');
      }
      break;
    default:
      return { v: VERSION, type: 'unknown' };
  }
  return /** @type {Control} */ (/** @type {unknown} */ (m));
}

/**
 * Serialises a request to the server.
 * @param {RequestType} type
 * @param {number} id the server's answer repeats it
 * @param {Options} [options] of the type `options`
 */
export function controlRequest(type, id, options) {
  return JSON.stringify({ v: VERSION, type, id, ...options });
}

/** @param {string} text @returns {Record<string, unknown>} */
function envelope(text) {
  let value;
  try {
    value = JSON.parse(text);
  } catch {
    throw new WireError('(message)', 'JSON');
  }
  const m = object(value, '(message)');
  want(m.v === VERSION, 'v', String(VERSION));
  return m;
}

/** @param {unknown} value @param {string} at */
function checkFace(value, at) {
  const face = object(value, at);
  const under = `${at}.`;
  whole(face, 'id', Number.MAX_SAFE_INTEGER, 0, under);
  const box = list(face.box, `${under}box`, 4, 4);
  // The box of a face at the frame's edge reaches outside.
  box.forEach((v, i) => inRange(v, `${under}box[${i}]`, i < 2 ? -2 : 0, 3));
  within(face, 'score', 0, 1, under);
  string(face, 'label', under);
  within(face, 'confidence', 0, 1, under);
  within(face, 'age_ms', 0, Infinity, under);
  list(face.scores, `${under}scores`, 2, MAX_LABELS)
    .forEach((v, i) => inRange(v, `${under}scores[${i}]`, 0, 1));
  want(typeof face.uncertain === 'boolean', `${under}uncertain`, 'true or false');
  if (face.attention !== undefined) checkAttention(face.attention, `${under}attention`);
}

/** @param {unknown} value @param {string} at */
function checkModel(value, at) {
  const model = object(value, at);
  string(model, 'name', `${at}.`);
  list(model.labels, `${at}.labels`, 2, MAX_LABELS)
    .forEach((label, i) => want(typeof label === 'string' && label !== '', `${at}.labels[${i}]`, 'text'));
  within(model, 'uncertain', 0, 1, `${at}.`);
  want(model.attention === undefined || typeof model.attention === 'boolean', `${at}.attention`, 'true or false');
}

/** @param {unknown} value @param {string} at */
function checkAttention(value, at) {
  const a = object(value, at);
  const under = `${at}.`;
  for (const key of ['heads', 'width', 'height']) whole(a, key, MAX_ATTENTION, 1, under);
  const { heads, width, height } = /** @type {Attention} */ (/** @type {unknown} */ (a));
  const values = heads * width * height;
  want(values <= MAX_ATTENTION, `${under}heads`, `at most ${MAX_ATTENTION} values in all maps`);
  list(a.region, `${under}region`, 4, 4).forEach((v, i) => {
    want(Number.isFinite(v), `${under}region[${i}]`, 'a number');
    want(i < 2 || /** @type {number} */ (v) > 0, `${under}region[${i}]`, 'a number over 0');
  });
  list(a.ranges, `${under}ranges`, heads, heads).forEach((range, i) => {
    list(range, `${under}ranges[${i}]`, 2, 2).forEach((v, k) =>
      want(Number.isFinite(v), `${under}ranges[${i}][${k}]`, 'a number'));
  });
  string(a, 'data', under);
  const text = /** @type {string} */ (a.data);
  const padding = /^[A-Za-z0-9+/]*(={0,2})$/.exec(text)?.[1].length;
  const bytes = padding === undefined ? -1 : (text.length / 4) * 3 - padding;
  want(bytes === values, `${under}data`, `base64 of ${values} bytes`);
}

/** @param {boolean} holds @param {string} field @param {string} what */
function want(holds, field, what) {
  if (!holds) throw new WireError(field, what);
}

/** @param {unknown} value @param {string} field @returns {Record<string, unknown>} */
function object(value, field) {
  want(typeof value === 'object' && value !== null && !Array.isArray(value), field, 'an object');
  return /** @type {Record<string, unknown>} */ (value);
}

/** @param {unknown} value @param {string} field @param {number} min @param {number} max @returns {unknown[]} */
function list(value, field, min, max) {
  want(Array.isArray(value), field, 'a list');
  const items = /** @type {unknown[]} */ (value);
  want(items.length >= min && items.length <= max, field, min === max ? `${min} items` : `${min} to ${max} items`);
  return items;
}

/** @param {Record<string, unknown>} from @param {string} key @param {string} [under] */
function string(from, key, under = '') {
  want(typeof from[key] === 'string' && from[key] !== '', under + key, 'text');
}

/**
 * @param {Record<string, unknown>} from
 * @param {string} key
 * @param {number} max
 * @param {number} [min]
 * @param {string} [under]
 */
function whole(from, key, max, min = 0, under = '') {
  want(Number.isInteger(from[key]), under + key, 'a whole number');
  inRange(from[key], under + key, min, max);
}

/**
 * @param {Record<string, unknown>} from
 * @param {string} key
 * @param {number} min
 * @param {number} max
 * @param {string} [under]
 */
function within(from, key, min, max, under = '') {
  inRange(from[key], under + key, min, max);
}

// Sums of 32-bit floats may end slightly above 1.
const ROUNDING = 1e-4;

/** @param {unknown} value @param {string} field @param {number} min @param {number} max */
function inRange(value, field, min, max) {
  // JSON's 1e999 is infinite
  const holds = Number.isFinite(value) && Number(value) >= min && Number(value) <= max + ROUNDING;
  want(holds, field, max === Infinity ? `a number from ${min}` : `a number from ${min} to ${max}`);
}
