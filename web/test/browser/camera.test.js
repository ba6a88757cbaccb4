// Choosing a camera, and the ways in which there is none.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { describe, test } from 'node:test';
import { CHROMIUM, launch, makeCamera, openPage, press, screenshot, seen, text, until, waitInside, waitState } from './driver.js';
import { peer, refuse, serve } from './standin.js';

const skip = existsSync(CHROMIUM) ? false : `no Chromium at ${CHROMIUM}; set CHROMIUM`;

test('another camera takes over while live', { skip, timeout: 60_000 }, async () => {
  const browser = await launch({ count: 3, flags: ['--disable-features=WebRtcHideLocalIpsWithMdns'] });
  const other = await peer(browser);
  const server = await serve(other.whip);
  try {
    const page = await openPage(browser, server.url, { phone: true });
    await press(page, '.card-button');
    await waitState(page, 'live');
    await waitInside(page, '.camera:not([hidden])');
    // Chromium's second test camera gives 16-bit pictures of depth, which WebRTC does not send.
    const [first, , third] = await page.$$eval('mindflow-live >>> option', (os) => os.map((o) => o.value));
    const inUse = () => page.$eval('mindflow-live >>> video', (v) => {
      const stream = /** @type {MediaStream | null} */ (/** @type {HTMLVideoElement} */ (v).srcObject);
      const track = stream?.getVideoTracks()[0];
      return track?.readyState === 'live' ? track.getSettings().deviceId : undefined;
    });
    assert.equal(await inUse(), first);
    await page.locator('mindflow-live >>> .camera select').fill(third);
    await until(async () => (await inUse()) === third);
    const frames = await other.frames();
    await until(async () => (await other.frames()) > frames);
    assert.equal((await seen(page, 'states')).at(-1)?.state, 'live');
    await screenshot(page, 'cameras-phone');
  } finally {
    await browser.close();
    await server.close();
  }
});

describe('without a camera to use', { skip, timeout: 90_000 }, () => {
  const cases = /** @type {const} */ ([
    ['no-camera', { allow: true }, 'localhost'],
    ['denied', { allow: false, camera: true, flags: ['--deny-permission-prompts'] }, 'localhost'],
    ['insecure', { allow: true, flags: ['--host-resolver-rules=MAP insecure.test 127.0.0.1'] }, 'insecure.test'],
  ]);
  for (const [reason, how, host] of cases) {
    test(`${reason} is told with a next step`, async () => {
      const camera = 'camera' in how ? await makeCamera('testsrc', { seconds: 1 }) : undefined;
      const server = await serve(refuse(500, 'not reached'));
      const browser = await launch({ ...how, flags: 'flags' in how ? [...how.flags] : [], camera });
      try {
        const page = await openPage(browser, `http://${host}:${server.port}/`);
        await press(page, '.card-button');
        await waitState(page, 'failed', reason);
        assert.notEqual(await text(page, '.card-next'), '');
        assert.deepEqual(server.requests.filter((r) => r.startsWith('POST')), []);
        await screenshot(page, reason);
      } finally {
        await browser.close();
        await server.close();
      }
    });
  }
});
