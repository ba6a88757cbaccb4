// The page in a real Chromium, in the states that a real server does not take on demand.

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import {
  CHROMIUM, launch, makeCamera, MEDIA, openPage, press, screenshot, seen, settles, text, until, waitInside, waitLabels,
    waitState,
} from './driver.js';
import { peer, refuse, serve } from './standin.js';

const golden = (/** @type {string} */ name) => readFileSync(new URL(`../../testdata/wire/${name}`, import.meta.url),
  'utf8');

const clip = path.join(MEDIA, 'woman-distress-to-laugh.mp4');
const skip = existsSync(CHROMIUM) ? false : `no Chromium at ${CHROMIUM}; set CHROMIUM`;

/** @type {[string, import('./driver.js').Look][]} */
const LOOKS = [
  ['desk-light', {}], ['desk-dark', { dark: true }], ['phone-light', { phone: true }],
    ['phone-dark', { phone: true, dark: true }],
];

/** @param {import('puppeteer-core').Page} page whether the picture's camera is off */
const released = (page) => page.$eval('mindflow-live >>> video',
  (v) => /** @type {HTMLVideoElement} */ (v).srcObject === null);

describe('page', { skip, timeout: 540_000 }, () => {
  /** @type {import('puppeteer-core').Browser} */
  let browser;
  /** @type {Awaited<ReturnType<typeof serve>>} */
  let server;
  /** @type {Awaited<ReturnType<typeof peer>>} */
  let other;

  before(async () => {
    // The stand-in's page has no camera permission, without which Chromium hides addresses behind mDNS names.
    const flags = ['--disable-features=WebRtcHideLocalIpsWithMdns'];
    browser = await launch({ camera: await makeCamera(existsSync(clip) ? clip : 'testsrc'), flags });
    server = await serve(refuse(500, 'not set'));
    other = await peer(browser);
  });
  after(async () => {
    await browser?.close();
    await server?.close();
  });

  /** Opens the page and presses Start. @param {import('./driver.js').Look} [look] */
  async function started(look) {
    const page = await openPage(browser, server.url, look);
    await press(page, '.card-button');
    return page;
  }

  /** Goes live with the stand-in. @param {import('./driver.js').Look} [look] */
  async function live(look) {
    server.handler.whip = other.whip;
    server.requests.length = 0;
    const page = await started(look);
    await waitState(page, 'live');
    await other.send('control', golden('control-hello.json'));
    return page;
  }

  /** Sends faces for as long as a test lasts, numbered. @param {string} name @param {number} count */
  async function sendLabels(name, count) {
    const message = JSON.parse(golden(name));
    for (let seq = 1; seq <= count; seq++) await other.send('labels', JSON.stringify({ ...message, seq }));
  }

  /**
   * Sends a message again and again, numbered, while work is done.
   * @param {string} name
   * @param {() => Promise<void>} work
   */
  async function whileSending(name, work) {
    const message = JSON.parse(golden(name));
    let seq = 0;
    const timer = setInterval(() => void other.send('labels', JSON.stringify({ ...message, seq: ++seq })), 100);
    try {
      await work();
    } finally {
      clearInterval(timer);
    }
  }

  for (const [name, look] of LOOKS) {
    test(`idle, ${name}: says what is sent before it asks`, async () => {
      const page = await openPage(browser, server.url, look);
      assert.match(await text(page, '.card-notice'),
        /localhost:\d+ over an encrypted connection.*not what a person feels.*No picture is kept/);
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true,
        'it scrolls sideways');
      // it asks the server
      await page.waitForFunction(() => document.getElementById(
        'release')?.textContent === 'Mindflow test · protocol 1');
      await screenshot(page, `idle-${name}`, { fullPage: true });
      await page.close();
    });
  }

  for (const [name, look] of LOOKS) {
    test(`live, ${name}: shows what arrives`, async () => {
      const page = await live(look);
      await sendLabels('labels-one-face.json', 10);
      const labels = await waitLabels(page, 1);
      assert.equal(labels[0].faces[0].label, 'happy');
      await waitInside(page, '.reading-label', 'Happy');
      assert.equal(await text(page, '.reading-confidence'), '83% confident');
      assert.match(await text(page, '.bars .top'), /^Happy83%$/);
      await sendLabels('labels-one-face.json', 20);
      await screenshot(page, `live-${name}`);
      assert.equal(await page.title(), '● Mindflow');
      await page.close();
    });
  }

  test('uncertain is shown as uncertain, and a face can be picked', async () => {
    const page = await live();
    await whileSending('labels-many.json', async () => {
      await waitInside(page, '.faces button[value="11"]'); // a locator does not see what comes into a shadow tree
      await page.locator('mindflow-live >>> .faces button[value="11"]').click();
      await waitInside(page, '.reading-label', 'Uncertain');
      assert.equal(await text(page, '.reading-confidence'), 'Surprise is nearest, 34%');
      await screenshot(page, 'live-many');
    });
    await page.close();
  });

  test('messages that break the protocol are named and do no harm', async () => {
    const page = await live();
    await other.send('labels', golden('invalid/labels-box-short.json'));
    await other.send('control', '{"v":1,"type":"weather","wind":"north"}');
    await other.send('control', golden('control-hint.json'));
    await sendLabels('labels-one-face.json', 5);
    await waitLabels(page, 1);
    const errors = await seen(page, 'errors');
    assert.deepEqual(errors.map((e) => e.reason), ['strange']);
    assert.match(errors[0].message, /faces\[0\]\.box/);
    await page.close();
  });

  test('no face in view is said', async () => {
    const page = await live();
    await whileSending('labels-no-face.json', () => waitInside(page, '.note:not([hidden])'));
    assert.match(await text(page, '.note'), /No face in view/);
    assert.match(await text(page, '.spoken'), /No face in view/);
    await screenshot(page, 'no-face');
    await page.close();
  });

  test('pause stops the sending, resume goes on, stop lets go', async () => {
    const page = await live();
    await press(page, '.pause');
    await waitState(page, 'paused');
    await screenshot(page, 'paused');
    await until(async () => (await other.received()).includes('pause'));
    const still = await settles(() => other.frames());
    await press(page, '.pause');
    await waitState(page, 'live');
    await until(async () => (await other.received()).includes('resume'));
    await until(async () => (await other.frames()) > still);
    await press(page, '.stop');
    await waitState(page, 'stopped');
    assert.equal(await released(page), true);
    await until(() => server.requests.includes('DELETE /sessions/s1'));
    assert.ok(server.requests.includes('PATCH /sessions/s1'));
    await screenshot(page, 'stopped');
    await page.close();
  });

  test('pause and resume in quick succession reach the server in order', async () => {
    const page = await live();
    await page.$eval('mindflow-live', (el) => {
      const live = /** @type {import('../../live/element.js').MindflowLive} */ (el);
      return Promise.all([live.pause(), live.resume(), live.pause(), live.resume()]);
    });
    assert.deepEqual(await other.received(), ['pause', 'resume', 'pause', 'resume']);
    assert.equal((await seen(page, 'states')).at(-1)?.state, 'live');
    const frames = await other.frames();
    await until(async () => (await other.frames()) > frames);
    await page.close();
  });

  test('mirror turns the picture and says so', async () => {
    const page = await live();
    const transform = () => page.$eval('mindflow-live >>> video', (v) => getComputedStyle(v).transform);
    assert.equal(await transform(), 'matrix(-1, 0, 0, 1, 0, 0)');
    await press(page, '.mirror');
    await waitInside(page, '.mirror[aria-checked=false]');
    assert.equal(await transform(), 'none');
    await page.close();
  });

  test('an element that moves goes on, one that is removed lets go of everything', async () => {
    const page = await live();
    const moved = await page.evaluate(async () => {
      const el = /** @type {HTMLElement} */ (document.querySelector('mindflow-live'));
      document.body.append(el);
      await new Promise((resolve) => setTimeout(resolve)); // after what the element put off until it was moved
      return /** @type {HTMLVideoElement} */ (el.shadowRoot?.querySelector('video')).srcObject !== null;
    });
    assert.equal(moved, true);
    await sendLabels('labels-one-face.json', 5);
    await waitLabels(page, 1);
    const left = await page.evaluateHandle(() => {
      const el = /** @type {HTMLElement} */ (document.querySelector('mindflow-live'));
      const video = /** @type {HTMLVideoElement} */ (el.shadowRoot?.querySelector('video'));
      const track = /** @type {MediaStream} */ (video.srcObject).getVideoTracks()[0];
      el.remove();
      return { video, track };
    });
    await until(() => left.evaluate(({ video, track }) => track.readyState === 'ended' && video.srcObject === null));
    await until(() => page.evaluate(() => /** @type {any} */ (window).seen.pending() === 0));
    await until(() => server.requests.includes('DELETE /sessions/s1'));
    await page.close();
  });

  test('leaving the page ends the session', async () => {
    const page = await live();
    await page.goto('about:blank');
    await until(() => server.requests.includes('DELETE /sessions/s1'));
    await page.close();
  });
});
