// Each state in which no picture is seen, brought about in the page as it happens to visitors, and photographed: see
// gallery.js.

import { launch, openPage, press, waitInside, waitState } from './driver.js';
import { peer, queue, refuse, serve } from './standin.js';

/** @typedef {import('puppeteer-core').Page} Page */
/** @typedef {Awaited<ReturnType<typeof peer>>} Other */
/** @typedef {{name: string, failed: boolean, picture: string}} Photograph picture: a data: address */

/**
 * @typedef {object} Scene
 * @property {import('./standin.js').Whip} [whip] what the server says to an offer; without it, it answers
 * @property {() => void} [prepare] runs in the page before its own scripts
 * @property {(page: Page, other: Other) => Promise<void>} [act] while it is live
 * @property {boolean} [deaf] whether the answer names no address to send to
 * @property {boolean} [mute] whether the way for messages is shut before it stands
 * @property {boolean} [turn] whether its turn comes, of those who wait, and nothing after
 * @property {'denied' | 'no-camera' | 'insecure'} [browser] one of another kind
 * @property {[state: string, reason?: string]} is how it ends; the name of the scene, as a reason of failing, where it
 *   is not said
 */

const says = (/** @type {string} */ reason) =>
  ({ act: (/** @type {Page} */ _, /** @type {Other} */ other) =>
  other.send('control', JSON.stringify({ v: 1, type: 'bye', reason })) });
/** A camera that does not open. @param {'NotReadableError' | 'InvalidStateError'} name */
const cameraSays = (name) => (name === 'NotReadableError'
  ? () => { navigator.mediaDevices.getUserMedia = async () => {
    throw new DOMException('Could not start video source', 'NotReadableError'); }; }
  : () => { navigator.mediaDevices.getUserMedia = async () => {
    throw new DOMException('Not ready', 'InvalidStateError'); }; });

/** @type {Record<string, Omit<Scene, 'is'> & Partial<Pick<Scene, 'is'>>>} */
export const SCENES = {
  asking: { prepare: () => { navigator.mediaDevices.getUserMedia = () => new Promise(() => {}); }, is: ['asking'] },
  connecting: { whip: () => {}, is: ['connecting'] },
  paused: { act: (page) => press(page, '.pause'), is: ['paused'] },
  stopped: { act: (page) => press(page, '.stop'), is: ['stopped'] },
  full: { whip: refuse(503, 'all 8 places are taken', { 'Retry-After': '30' }), is: ['full'] },
  waiting: { whip: queue(3), is: ['full'] },
  next: { whip: queue(0), is: ['full'] },
  turn: { whip: queue(0, 1), turn: true, is: ['connecting'] },
  reconnecting: { act: (_, other) => other.hangUp(), is: ['reconnecting'] },
  restarting: { ...says('shutdown'), is: ['reconnecting', 'shutdown'] },
  insecure: { browser: 'insecure' },
  unsupported: { prepare: () => { delete (/** @type {any} */ (window).RTCPeerConnection); } },
  'no-camera': { browser: 'no-camera' },
  denied: { browser: 'denied' },
  policy: { browser: 'denied', prepare: () => {
    Object.defineProperty(document, 'featurePolicy', { value: { allowsFeature: () => false } });
  } },
  busy: { prepare: cameraSays('NotReadableError') },
  'camera-failed': { prepare: cameraSays('InvalidStateError') },
  'camera-lost': { act: (page) => page.$eval('mindflow-live >>> video', (v) => {
    const stream = /** @type {MediaStream} */ (/** @type {HTMLVideoElement} */ (v).srcObject);
    stream.getVideoTracks()[0].dispatchEvent(new Event('ended'));
  }) },
  source: { act: (page) => page.$eval('mindflow-live',
    (el) => { /** @type {import('../../live/element.js').MindflowLive} */ (el).srcObject = new MediaStream(); }) },
  format: { act: (page) => page.$eval('mindflow-live', (el) => {
    /** @type {any} */ (el).srcObject = new File(['\0\0\0\x18ftypheic'], 'photo.heic', { type: 'image/heic' }); }) },
  unreachable: { whip: (_, response) => void response.destroy() },
  unauthorized: { whip: refuse(401, 'the token has expired; get a new one') },
  refused: { whip: refuse(422, 'the offer has no video that the server decodes') },
  blocked: { deaf: true },
  lost: { mute: true },
  version: { act: (_, other) => other.send('labels', JSON.stringify({ v: 9 })) },
  idle: says('idle'),
  'no-media': says('no-media'),
  time: says('time'),
  replaced: says('replaced'),
  'too-large': says('too-large'),
  internal: says('internal'),
  ended: says('abuse'),
};

/**
 * Opens what brings scenes about.
 * @param {string} lang "en" or "fr"
 * @param {string} camera of makeCamera
 */
export async function studio(lang, camera) {
  const server = await serve(refuse(500, 'not set'));
  const flags = [`--accept-lang=${lang}`, '--disable-features=WebRtcHideLocalIpsWithMdns'];
  const browser = await launch({ camera, flags });
  const other = await peer(browser);

  /**
   * Brings a scene about.
   * @param {string} name
   * @param {import('./driver.js').Look} look
   * @param {(page: Page, state: string) => Promise<void>} work
   */
  async function play(name, look, work) {
    const scene = SCENES[name];
    const [state, reason] = scene.is ?? ['failed', name];
    server.handler.whip = scene.whip ?? (scene.deaf ? altered(other.whip, deafen) : scene.mute
      ? altered(other.whip, mute) : other.whip);
    server.handler.waiting = '';
    const [own, host] = await another(scene.browser, camera, flags);
    const page = await openPage(own ?? browser, `http://${host}:${server.port}/`, look, scene.prepare);
    await waitInside(page, '.card-button');
    await press(page, '.card-button');
    if (scene.turn) {
      await waitState(page, 'full');
      server.handler.whip = () => {};
      server.handler.waiting = '{"v":1,"ahead":0,"waiting":1,"turn":true,"again_ms":2000,"within_ms":15000}';
    }
    if (scene.act) {
      await waitState(page, 'live');
      await scene.act(page, other);
    }
    await waitState(page, state, reason);
    if (state === 'reconnecting') server.handler.whip = () => {}; // it stays so
    await work(page, state);
    await page.close();
    await own?.close();
  }

  return {
    play,
    /** Photographs each. @returns {Promise<Photograph[]>} */
    async all() {
      const taken = /** @type {Photograph[]} */ ([]);
      for (const name of Object.keys(SCENES)) {
        await play(name, { phone: true }, async (page, state) => {
          const stage = await page.$('mindflow-live >>> .stage');
          const picture = await stage?.screenshot({ encoding: 'base64', type: 'png' });
          taken.push({ name, failed: state === 'failed', picture: `data:image/png;base64,${picture}` });
        });
      }
      return taken;
    },
    async close() {
      await browser.close();
      await server.close();
    },
  };
}

/**
 * @param {Scene['browser']} kind
 * @param {string} camera
 * @param {string[]} flags
 * @returns {Promise<[browser: import('puppeteer-core').Browser | undefined, host: string]>}
 */
async function another(kind, camera, flags) {
  switch (kind) {
    case 'denied': return [await launch({ camera, allow: false, flags: [...flags, '--deny-permission-prompts'] }),
      'localhost'];
    case 'no-camera': return [await launch({ flags }), 'localhost'];
    case 'insecure': return [await launch({ camera,
      flags: [...flags, '--host-resolver-rules=MAP insecure.test 127.0.0.1'] }), 'insecure.test'];
    default: return [undefined, 'localhost'];
  }
}

/**
 * An answer that was changed on its way.
 * @param {Other['whip']} whip
 * @param {(sdp: string) => string} change
 * @returns {import('./standin.js').Whip}
 */
function altered(whip, change) {
  return (offer, response) => {
    const { end } = response;
    response.end = (/** @type {any} */ sdp) => Reflect.apply(end, response, [change(String(sdp))]);
    return whip(offer, response);
  };
}

/** Takes the addresses out, as if nothing that is sent there came through. @param {string} sdp */
const deafen = (sdp) => sdp.replace(/^a=candidate:.*\r\n/gm, '');

/** Refuses the channels. @param {string} sdp */
const mute = (sdp) => {
  const mid = /m=application[^]*?a=mid:(\S+)/.exec(sdp)?.[1];
  return sdp.replace(/m=application \d+/, 'm=application 0').replace(new RegExp(`(a=group:BUNDLE.*) ${mid}`), '$1');
};

/** A page with all of them, as one looks at a contact sheet. @param {Photograph[]} all */
export function sheet(all) {
  const cells = all
    .map(({ name, picture }) => `<figure><img src="${picture}" alt=""><figcaption>${name}</figcaption></figure>`)
    .join('');
  return `<!doctype html><meta charset="utf-8"><style>
    body { margin: 0; padding: 16px; display: grid; grid-template-columns: repeat(4, 1fr); gap: 14px;
      align-items: start; background: #f5f4f1; font: 14px system-ui; }
    figure { margin: 0; } img { width: 100%; display: block; } figcaption { padding-top: 4px; color: #5b6370; }
  </style>${cells}`;
}
