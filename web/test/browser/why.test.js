// Why there is no label, or none that is sure: measured in the page from the picture that is sent, and said with what
// to do.

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { CHROMIUM, PATIENCE, launch, openPage, screenshot, text, waitInside, waitState } from './driver.js';
import { peer, refuse, serve } from './standin.js';

const skip = existsSync(CHROMIUM) ? false : `no Chromium at ${CHROMIUM}; set CHROMIUM`;
const golden = (/** @type {string} */ name) => JSON.parse(
  readFileSync(new URL(`../../testdata/wire/${name}`, import.meta.url), 'utf8'));
const none = golden('labels-no-face.json');
const one = golden('labels-one-face.json');
const unsure = (/** @type {object} */ face) => ({ ...one, faces: [{ ...one.faces[0], uncertain: true, ...face }] });

/** @type {[name: string, picture: string, message: any, says: RegExp][]} */
const CASES = [
  ['too dark', 'dark', none, /very dark.*Turn a light on/],
  ['too bright', 'bright', none, /overexposed.*Turn away/],
  ['out of focus', 'blurred', none, /blurred.*Wipe the lens/],
  ['nobody there', 'sharp', none, /No face in view.*Move into the picture/],
  ['a face too far', 'sharp', unsure({ box: [0.4, 0.4, 0.04, 0.05] }), /small in the picture.*Come closer/],
  ['a dark face', 'dark', unsure({}), /face is dark.*Light from the front/],
  ['a face turned away', 'sharp', unsure({ score: 0.65 }), /turned away.*Look at the camera/],
];

describe('why there is no label', { skip, timeout: 360_000 }, () => {
  /** @type {import('puppeteer-core').Browser} */
  let browser;
  /** @type {Awaited<ReturnType<typeof serve>>} */
  let server;
  /** @type {Awaited<ReturnType<typeof peer>>} */
  let other;
  /** @type {import('puppeteer-core').Page} */
  let page;
  let seq = 0;

  before(async () => {
    browser = await launch({ flags: ['--disable-features=WebRtcHideLocalIpsWithMdns'] });
    server = await serve(refuse(500, 'not set'));
    other = await peer(browser);
    server.handler.whip = other.whip;
    page = await openPage(browser, server.url);
    await waitInside(page, '.card-button');
    await page.evaluate(async () => {
      const canvas = Object.assign(document.createElement('canvas'), { width: 640, height: 480 });
      const ctx = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
      /** @type {Record<string, () => void>} */
      const pictures = {
        dark: () => { ctx.fillStyle = '#0a0a0c'; ctx.fillRect(0, 0, 640, 480); },
        bright: () => { ctx.fillStyle = '#fff'; ctx.fillRect(0, 0, 640, 480); },
        blurred: () => {
          const light = ctx.createRadialGradient(320, 240, 0, 320, 240, 380);
          light.addColorStop(0, '#e8e8e8');
          light.addColorStop(1, '#202020');
          ctx.fillStyle = light;
          ctx.fillRect(0, 0, 640, 480);
        },
        sharp: () => {
          for (let i = 0; i < 192; i++) {
            ctx.fillStyle = (i + Math.floor(i / 16)) % 2 ? '#ccc' : '#444';
            ctx.fillRect(40 * (i % 16), 40 * Math.floor(i / 16), 40, 40);
          }
        },
      };
      let kind = 'sharp';
      setInterval(() => pictures[kind](), 50);
      Object.assign(window, { show: (/** @type {string} */ next) => { kind = next; } });
      const live = /** @type {import('../../live/element.js').MindflowLive} */ (
        document.querySelector('mindflow-live'));
      live.srcObject = canvas.captureStream();
      await live.start();
    });
    await waitState(page, 'live');
    await other.send('control', JSON.stringify(golden('control-hello.json')));
  });
  after(async () => {
    await browser?.close();
    await server?.close();
  });

  for (const [name, picture, message, says] of CASES) {
    test(`${name} is said, with what helps`, async () => {
      await page.evaluate((kind) => /** @type {any} */ (window).show(kind), picture);
      const timer = setInterval(() => void other.send('labels', JSON.stringify({ ...message, seq: ++seq })), 100);
      try {
        await page.waitForFunction((source) => {
          const root = document.querySelector('mindflow-live')?.shadowRoot;
          const [note, spoken] = ['.note:not([hidden])', '.spoken']
            .map((s) => root?.querySelector(s)?.textContent ?? '');
          return new RegExp(source).test(note) && spoken === note; // it is also said to those who listen
        }, { timeout: PATIENCE }, says.source);
      } finally {
        clearInterval(timer);
      }
      assert.match(await text(page, '.note'), says);
      await screenshot(page, `why-${picture}-${name.replaceAll(' ', '-')}`);
    });
  }
});
