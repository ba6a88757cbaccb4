// The page in a real Chromium when its server or its camera fails it, as a real server does not do on demand.

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { CHROMIUM, launch, makeCamera, MEDIA, openPage, press, screenshot, seen, text, until,
  waitState } from './driver.js';
import { peer, refuse, serve } from './standin.js';

const golden = (/** @type {string} */ name) => readFileSync(new URL(`../../testdata/wire/${name}`, import.meta.url),
  'utf8');

const clip = path.join(MEDIA, 'woman-distress-to-laugh.mp4');
const skip = existsSync(CHROMIUM) ? false : `no Chromium at ${CHROMIUM}; set CHROMIUM`;

/** @param {import('puppeteer-core').Page} page whether the picture's camera is off */
const released = (page) => page.$eval('mindflow-live >>> video',
  (v) => /** @type {HTMLVideoElement} */ (v).srcObject === null);

describe('trouble', { skip, timeout: 180_000 }, () => {
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

  test('a lost connection comes back by itself', async () => {
    const page = await live();
    await other.hangUp();
    await waitState(page, 'reconnecting');
    await screenshot(page, 'reconnecting');
    await waitState(page, 'live');
    const states = await seen(page, 'states');
    assert.equal(states.find((s) => s.state === 'reconnecting')?.attempt, 1);
    await other.send('control', golden('control-bye.json'));
    await waitState(page, 'reconnecting', 'shutdown');
    await waitState(page, 'live');
    await page.close();
  });

  test('a server that is about to stop is left, and tried again until it or another takes the page', async () => {
    const page = await live();
    server.handler.whip = refuse(503, 'the server is stopping', { 'Retry-After': '2' }, 'urn:mindflow:draining');
    const deleted = server.requests.filter((r) => r.startsWith('DELETE')).length;
    await other.send('control', JSON.stringify({ v: 1, type: 'bye', reason: 'draining' }));
    await page.waitForFunction(() => /** @type {any} */ (window).seen.states
      .some((/** @type {any} */ s) => s.state === 'reconnecting' && s.reason === 'shutdown' && s.attempt === 2));
    assert.equal(server.requests.filter((r) => r.startsWith('DELETE')).length, deleted + 1);
    assert.ok(!(await seen(page, 'states')).some((s) => s.state === 'full' || s.state === 'failed'),
      'it was taken for a full one');
    server.handler.whip = other.whip;
    await waitState(page, 'live');
    await page.close();
  });

  for (const reason of /** @type {const} */ (['idle', 'no-media'])) {
    test(`a farewell, ${reason}, ends it with words`, async () => {
      const page = await live();
      await other.send('control', JSON.stringify({ v: 1, type: 'bye', reason }));
      await waitState(page, 'failed', reason);
      assert.equal(await released(page), true);
      await page.close();
    });
  }

  test('a session that ends while paused is opened anew', async () => {
    const page = await live();
    await press(page, '.pause');
    await waitState(page, 'paused');
    await other.send('control', JSON.stringify({ v: 1, type: 'bye', reason: 'no-media' }));
    await until(() => server.requests.includes('DELETE /sessions/s1'));
    await press(page, '.card-button');
    await waitState(page, 'live');
    assert.equal(server.requests.filter((r) => r === 'POST /whip').length, 2);
    await page.close();
  });

  test('another version of the protocol says to reload', async () => {
    const page = await live();
    await other.send('labels', golden('invalid/labels-v-other.json'));
    await waitState(page, 'failed', 'version');
    await page.close();
  });

  test('a full server counts down and is tried again', async () => {
    server.handler.whip = refuse(503, 'all 8 places are taken', { 'Retry-After': '3' });
    const page = await started();
    await waitState(page, 'full');
    assert.match(await text(page, '.card-count'), /Next try in [1-3] s/);
    assert.match(await text(page, '.card-detail'), /all 8 places/);
    await screenshot(page, 'full');
    server.handler.whip = other.whip;
    await waitState(page, 'live');
    await page.close();
  });

  test('a server that says no is quoted', async () => {
    server.handler.whip = refuse(422, 'the offer has no video that the server decodes');
    const page = await started({ phone: true });
    await waitState(page, 'failed', 'refused');
    assert.match(await text(page, '.card-detail'), /no video that the server decodes/);
    assert.equal(await released(page), true);
    await screenshot(page, 'refused-phone');
    await page.close();
  });

  test('a server that is gone is unreachable', async () => {
    server.handler.whip = (_, response) => void response.destroy();
    const page = await started({ dark: true });
    await waitState(page, 'failed', 'unreachable');
    assert.equal(await released(page), true);
    await screenshot(page, 'unreachable-dark');
    await page.close();
  });

  test('a camera that goes away is told', async () => {
    const page = await live();
    await page.$eval('mindflow-live >>> video', (v) => {
      const stream = /** @type {MediaStream} */ (/** @type {HTMLVideoElement} */ (v).srcObject);
      stream.getVideoTracks()[0].dispatchEvent(new Event('ended'));
    });
    await waitState(page, 'failed', 'camera-lost');
    assert.equal(await released(page), true);
    await page.close();
  });
});
