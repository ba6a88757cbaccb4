// Counts what a page's scripts set going and leave behind: listeners, timers, frames, observers, workers, object URLs,
// requests, tracks and connections.

import { until } from './driver.js';

/**
 * Runs in the page before its own scripts; `window.leftovers()` then lists, in words, what is still there. Left out are
 * listeners on nodes that are in no document and on signals, which are garbage with them, and the page's own: what was
 * set going before `window.leftovers.own()`.
 */
export function countLeftovers() {
  /** @typedef {{target: EventTarget, type: string, listener: unknown, capture: boolean}} Listener */
  const listeners = /** @type {Set<Listener>} */ (new Set());
  const { addEventListener: add, removeEventListener: remove } = EventTarget.prototype;
  const captures = (/** @type {any} */ how) => (typeof how === 'object' ? how?.capture === true : how === true);
  const find = (/** @type {EventTarget} */ target, /** @type {string} */ type, /** @type {unknown} */ listener,
    /** @type {boolean} */ capture) =>
    [...listeners].find((l) => l.target === target && l.type === type && l.listener === listener
      && l.capture === capture);

  EventTarget.prototype.addEventListener = function (/** @type {string} */ type, /** @type {any} */ listener,
    /** @type {any} */ how) {
    const target = this ?? window; // of a bare addEventListener(…)
    const capture = captures(how);
    const { once, signal } = typeof how === 'object' && how ? how : {};
    if (listener && !signal?.aborted && !find(target, type, listener, capture)) {
      const known = { target, type, listener, capture };
      const forget = () => { listeners.delete(known); };
      listeners.add(known);
      if (signal) Reflect.apply(add, signal, ['abort', forget, { once: true }]);
      if (once) Reflect.apply(add, target, [type, forget, { once: true, capture }]);
    }
    return Reflect.apply(add, target, [type, listener, how]);
  };
  EventTarget.prototype.removeEventListener = function (/** @type {string} */ type, /** @type {any} */ listener,
    /** @type {any} */ how) {
    const target = this ?? window;
    const known = find(target, type, listener, captures(how));
    if (known) listeners.delete(known);
    return Reflect.apply(remove, target, [type, listener, how]);
  };

  // What begins by one call and ends by another, or by itself when it has run once.
  const running = /** @type {Map<string, Set<unknown>>} */ (new Map());
  const pair = (/** @type {any} */ owner, /** @type {string} */ begin, /** @type {string} */ end,
    /** @type {boolean} */ once) => {
    const ids = new Set();
    running.set(begin, ids);
    const { [begin]: start, [end]: stop } = owner;
    owner[begin] = function (/** @type {any} */ callback, /** @type {any[]} */ ...rest) {
      const id = Reflect.apply(start, this ?? window,
        [once ? (/** @type {any[]} */ ...args) => { ids.delete(id); callback(...args); } : callback, ...rest]);
      ids.add(id);
      return id;
    };
    owner[end] = function (/** @type {unknown} */ id) {
      ids.delete(id);
      return Reflect.apply(stop, this ?? window, [id]);
    };
  };
  const { setTimeout: later } = window;
  // What is put off for long never comes here: else it could be over before anybody looked for it.
  Object.assign(window,
    { setTimeout: (/** @type {any} */ callback, /** @type {number} */ ms, /** @type {any[]} */ ...rest) =>
    later(callback, ms >= 5000 ? 2 ** 31 - 1 : ms, ...rest) });
  pair(window, 'setTimeout', 'clearTimeout', true);
  pair(window, 'setInterval', 'clearInterval', false);
  pair(window, 'requestAnimationFrame', 'cancelAnimationFrame', true);
  if ('requestVideoFrameCallback' in HTMLVideoElement.prototype) {
    pair(HTMLVideoElement.prototype, 'requestVideoFrameCallback', 'cancelVideoFrameCallback', true);
  }

  const made = { connections: /** @type {RTCPeerConnection[]} */ ([]),
    tracks: /** @type {Set<MediaStreamTrack>} */ (new Set()), observers: new Set() };
  window.RTCPeerConnection = class extends RTCPeerConnection {
    /** @param {RTCConfiguration} [how] */
    constructor(how) {
      super(how);
      made.connections.push(this);
    }
  };
  for (const name of /** @type {const} */ (['ResizeObserver', 'IntersectionObserver', 'MutationObserver'])) {
    const Observer = /** @type {any} */ (window[name]);
    /** @type {any} */ (window)[name] = class extends Observer {
      observe(/** @type {any[]} */ ...args) { made.observers.add(this); super.observe(...args); }
      disconnect() { made.observers.delete(this); super.disconnect(); }
    };
  }
  const addresses = /** @type {Set<string>} */ (new Set());
  const { createObjectURL, revokeObjectURL } = URL;
  URL.createObjectURL = (what) => {
    const address = createObjectURL(what);
    addresses.add(address);
    return address;
  };
  URL.revokeObjectURL = (address) => {
    addresses.delete(address);
    revokeObjectURL(address);
  };
  const workers = /** @type {Set<Worker>} */ (new Set());
  window.Worker = class extends Worker {
    /** @param {string | URL} url @param {WorkerOptions} [how] */
    constructor(url, how) {
      super(url, how);
      workers.add(this);
    }

    terminate() {
      workers.delete(this);
      super.terminate();
    }
  };
  const keepTracks = (/** @type {any} */ owner, /** @type {string} */ name) => {
    const { [name]: make } = owner ?? {};
    if (!make) return;
    const keep = (/** @type {any} */ what) => { for (const track of what.getTracks ? what.getTracks()
      : [what]) made.tracks.add(track); };
    owner[name] = function (/** @type {any[]} */ ...args) {
      const given = Reflect.apply(make, this, args);
      if (given instanceof Promise) given.then(keep, () => {});
      else keep(given);
      return given;
    };
  };
  const { fetch: ask } = window;
  const asked = new Set();
  running.set('fetch', asked);
  window.fetch = (...args) => {
    const answer = ask(...args);
    asked.add(answer);
    const done = () => { asked.delete(answer); };
    answer.then(done, done);
    return answer;
  };
  keepTracks(navigator.mediaDevices, 'getUserMedia');
  keepTracks(MediaStreamTrack.prototype, 'clone');
  keepTracks(HTMLCanvasElement.prototype, 'captureStream');

  const garbage = (/** @type {EventTarget} */ target) => target instanceof AbortSignal
    || (target instanceof Node && !target.isConnected);
  const list = () => [
    ...[...listeners].filter(({ target }) => !garbage(target))
      .map(({ target, type }) => `${type} on ${target === window ? 'window' : target.constructor.name}`),
    ...[...running].flatMap(([name, ids]) => [...ids].map(() => name)),
    ...made.connections.filter((c) => c.signalingState !== 'closed').map(() => 'RTCPeerConnection'),
    ...[...made.tracks].filter((t) => t.readyState === 'live').map((t) => `${t.kind} track`),
    ...[...workers].map(() => 'Worker'),
    ...[...addresses].map(() => 'object URL'),
    ...[...made.observers].map((o) => `${Object.getPrototypeOf(o.constructor).name}`),
  ];
  let own = /** @type {string[]} */ ([]);
  const leftovers = () => {
    const rest = [...own];
    return list().filter((what) => {
      const i = rest.indexOf(what);
      if (i >= 0) rest.splice(i, 1);
      return i < 0;
    });
  };
  Object.assign(window, { leftovers: Object.assign(leftovers, { own: () => { own = list(); } }) });
}

/**
 * What the page's scripts have left behind.
 * @param {import('puppeteer-core').Page} page
 * @returns {Promise<string[]>}
 */
export const leftovers = (page) => page.evaluate(() => /** @type {any} */ (window).leftovers());

/**
 * Waits until nothing is left but what is named.
 * @param {import('puppeteer-core').Page} page
 * @param {string[]} [what]
 */
export async function left(page, what = []) {
  let found = /** @type {string[]} */ ([]);
  try {
    await until(async () => (found = await leftovers(page)).join() === what.join());
  } catch (cause) {
    throw new Error(`what was set going is still there: ${found.join(', ')}`, { cause });
  }
}
