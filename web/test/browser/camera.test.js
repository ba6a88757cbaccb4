// Choosing a camera, and the ways in which there is none.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { CHROMIUM, launch, makeCamera, openPage, press, screenshot, seen, text, until, waitInside,
  waitState } from './driver.js';
import { peer, refuse, serve } from './standin.js';

const skip = existsSync(CHROMIUM) ? false : `no Chromium at ${CHROMIUM}; set CHROMIUM`;

describe('with several cameras', { skip, timeout: 300_000 }, () => {
  /** @type {import('puppeteer-core').Browser} */
  let browser;
  /** @type {Awaited<ReturnType<typeof serve>>} */
  let server;
  /** @type {Awaited<ReturnType<typeof peer>>} */
  let other;

  before(async () => {
    browser = await launch({ count: 3, flags: ['--disable-features=WebRtcHideLocalIpsWithMdns'] });
    server = await serve(refuse(500, 'not set'));
    other = await peer(browser);
  });
  after(async () => {
    await browser?.close();
    await server?.close();
  });

  /** Opens the page, presses Start and waits for the list of cameras. @param {import('./standin.js').Whip} whip */
  async function started(whip) {
    server.handler.whip = whip;
    const page = await openPage(browser, server.url, { phone: true });
    await press(page, '.card-button');
    await waitInside(page, '.camera:not([hidden])');
    // Chromium's second test camera gives 16-bit pictures of depth, which WebRTC does not send.
    const [first, , third] = await page.$$eval('mindflow-live >>> .camera option', (os) => os.map((o) => o.value));
    return { page, first, third };
  }

  /** @param {import('puppeteer-core').Page} page @param {string} camera */
  const choose = (page, camera) => page.locator('mindflow-live >>> .camera select').fill(camera);

  /** @param {import('puppeteer-core').Page} page the camera whose picture is shown */
  const inUse = (page) => page.$eval('mindflow-live >>> video', (v) => {
    const stream = /** @type {MediaStream | null} */ (/** @type {HTMLVideoElement} */ (v).srcObject);
    const track = stream?.getVideoTracks()[0];
    return track?.readyState === 'live' ? track.getSettings().deviceId : undefined;
  });

  test('another one takes over while live', async () => {
    const { page, first, third } = await started(other.whip);
    await waitState(page, 'live');
    assert.equal(await inUse(page), first);
    await choose(page, third);
    await until(async () => (await inUse(page)) === third);
    const frames = await other.frames();
    await until(async () => (await other.frames()) > frames);
    assert.equal((await seen(page, 'states')).at(-1)?.state, 'live');
    await screenshot(page, 'cameras-phone');
    await page.close();
  });

  test('a try that comes while another one opens waits for it', async () => {
    const { page, third } = await started(refuse(503, 'all 8 places are taken', { 'Retry-After': '300' }));
    await waitState(page, 'full');
    server.handler.whip = other.whip;
    await page.evaluate(() => {
      const { mediaDevices } = navigator;
      const open = mediaDevices.getUserMedia.bind(mediaDevices);
      const gate = new Promise((resolve) => Object.assign(window, { openGate: resolve }));
      mediaDevices.getUserMedia = (how) => gate.then(() => open(how));
    });
    await choose(page, third);
    await until(async () => (await inUse(page)) === undefined);
    await press(page, '.card-button');
    await page.evaluate(() => /** @type {any} */ (window).openGate());
    await waitState(page, 'live');
    assert.equal(await inUse(page), third);
    await until(async () => (await other.frames()) > 0);
    await page.close();
  });

  test('one that is plugged in can be chosen, and one that is unplugged cannot', async () => {
    const { page } = await started(other.whip);
    await waitState(page, 'live');
    const names = () => page.$$eval('mindflow-live >>> .camera option', (os) => os.map((o) => o.textContent));
    const before = await names();
    const plug = (/** @type {string} */ name) => page.evaluate(async (label) => {
      const { mediaDevices } = navigator;
      const devices = await MediaDevices.prototype.enumerateDevices.call(mediaDevices);
      const more = label
        ? [/** @type {MediaDeviceInfo} */ ({ kind: 'videoinput', deviceId: 'new', groupId: '', label })] : [];
      mediaDevices.enumerateDevices = async () => [...devices, ...more];
      mediaDevices.dispatchEvent(new Event('devicechange'));
    }, name);
    await plug('Telescope');
    await until(async () => (await names()).includes('Telescope'));
    assert.equal((await names()).length, before.length + 1);
    await plug('');
    await until(async () => (await names()).length === before.length);
    assert.equal((await seen(page, 'states')).at(-1)?.state, 'live');
    await page.close();
  });

  test('one that looks away is not mirrored, unless the visitor wants it', async () => {
    const { page, first, third } = await started(other.whip);
    await waitState(page, 'live');
    await page.evaluate((rear) => {
      const { getSettings } = MediaStreamTrack.prototype;
      MediaStreamTrack.prototype.getSettings = function () {
        const settings = getSettings.call(this);
        return { ...settings, facingMode: settings.deviceId === rear ? 'environment' : 'user' };
      };
    }, third);
    const mirrored = (/** @type {boolean} */ on) => waitInside(page, `.mirror[aria-checked=${on}]`);
    await mirrored(true);
    await choose(page, third);
    await mirrored(false);
    await choose(page, first);
    await mirrored(true);
    await press(page, '.mirror');
    await mirrored(false);
    for (const camera of [third, first]) {
      await choose(page, camera);
      await until(async () => (await inUse(page)) === camera);
      assert.equal(await page.$eval('mindflow-live', (el) => /** @type {any} */ (el).mirror), false);
    }
    await press(page, '.mirror');
    await choose(page, third);
    await until(async () => (await inUse(page)) === third);
    assert.equal(await page.$eval('mindflow-live', (el) => /** @type {any} */ (el).mirror), true);
    await page.close();
  });
});

describe('without a camera to use', { skip, timeout: 300_000 }, () => {
  const cases = /** @type {const} */ ([
    ['no-camera', { allow: true }, 'localhost'],
    ['denied', { allow: false, camera: true, flags: ['--deny-permission-prompts'] }, 'localhost'],
    ['insecure', { allow: true, flags: ['--host-resolver-rules=MAP insecure.test 127.0.0.1'] }, 'insecure.test'],
  ]);
  for (const [reason, how, host] of cases) {
    test(`${reason} is told with a next step`, async () => {
      const camera = 'camera' in how ? await makeCamera('testsrc', { seconds: 1 }) : undefined;
      const server = await serve(refuse(500, 'not reached'));
      let browser; // in the try: a server that is left running would keep the tests from ending
      try {
        browser = await launch({ ...how, flags: 'flags' in how ? [...how.flags] : [], camera });
        const page = await openPage(browser, `http://${host}:${server.port}/`);
        await press(page, '.card-button');
        await waitState(page, 'failed', reason);
        assert.notEqual(await text(page, '.card-next'), '');
        assert.deepEqual(server.requests.filter((r) => r.startsWith('POST')), []);
        await screenshot(page, reason);
      } finally {
        await browser?.close();
        await server.close();
      }
    });
  }
});
