// The server says what it can make use of, and the page sends no more: a real encoder obeys, the camera is left alone.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { CHROMIUM, freePort, launch, makeCamera, openPage, press, seen, startServer, until,
  waitState } from './driver.js';
import { peer, refuse, serve } from './standin.js';
import { aClip, analyse, fit, fps, ours, root } from './truth.js';

const skip = !existsSync(CHROMIUM) ? `no Chromium at ${CHROMIUM}; set CHROMIUM`
  : !existsSync(path.join(root, 'bin/mindflow')) ? 'no bin/mindflow; run make build' : false;
const skipBoxes = ours ? false : 'no clip with one large face: set MINDFLOW_TESTDATA';

/**
 * Runs in the page: cameras have the given sizes only, each the next that is opened, as those have whose browser does
 * not scale; the sender is noted.
 * @param {[number, number][]} sizes
 */
function fixedCameras(sizes) {
  const { mediaDevices } = navigator;
  const open = mediaDevices.getUserMedia.bind(mediaDevices);
  mediaDevices.getUserMedia = (how) => {
    const [width, height] = (sizes.length > 1 ? sizes.shift() : undefined) ?? sizes[0];
    const video = typeof how?.video === 'object' ? how.video : {};
    return open({ ...how, video: { ...video, width: { exact: width }, height: { exact: height } } });
  };
  const { addTransceiver } = RTCPeerConnection.prototype;
  /** @this {RTCPeerConnection} @param {string | MediaStreamTrack} track @param {RTCRtpTransceiverInit} [how] */
  RTCPeerConnection.prototype.addTransceiver = function (track, how) {
    const transceiver = addTransceiver.call(this, track, how);
    Object.assign(window, { sender: transceiver.sender });
    return transceiver;
  };
}

/**
 * How the picture is encoded.
 * @param {import('puppeteer-core').Page} page
 * @returns {Promise<RTCRtpEncodingParameters>}
 */
const encoding = (page) => page.evaluate(() => /** @type {any} */ (window).sender.getParameters().encodings[0]);

/**
 * Frames so far.
 * @param {import('puppeteer-core').Page} page
 * @returns {Promise<{shown: number, encoded: number, at: number}>} shown: of the visitor's own view; at: milliseconds
 */
const frames = (page) => page.evaluate(async () => {
  const video =
    /** @type {HTMLVideoElement} */ (document.querySelector('mindflow-live')?.shadowRoot?.querySelector('video'));
  const counts = { shown: video.getVideoPlaybackQuality().totalVideoFrames, encoded: 0, at: performance.now() };
  for (const s of (await /** @type {any} */ (window).sender.getStats()).values()) {
    if (s.type === 'outbound-rtp') Object.assign(counts, { encoded: s.framesEncoded, at: s.timestamp });
  }
  return counts;
});

/**
 * Frames a second, measured while so many are encoded.
 * @param {import('puppeteer-core').Page} page
 * @param {number} count
 */
async function rates(page, count) {
  const first = await frames(page);
  let last = first;
  await until(async () => {
    last = await frames(page);
    return last.encoded >= first.encoded + count;
  }, 60_000);
  const seconds = (last.at - first.at) / 1000;
  return { shown: (last.shown - first.shown) / seconds, encoded: (last.encoded - first.encoded) / seconds };
}

/**
 * Waits for so many messages of a size, one after the other, and gives them.
 * @param {import('puppeteer-core').Page} page
 * @param {string} size
 * @param {number} count
 */
async function labelsOf(page, size, count) {
  const sizes = (/** @type {any[]} */ list) => list.map((m) => `${m.width}x${m.height}`);
  /** @type {any[]} */
  let newest = [];
  await until(async () => {
    newest = (await seen(page, 'labels')).slice(-count);
    return newest.length === count && sizes(newest).every((s) => s === size);
  }, 60_000).catch(async (cause) => {
    throw new Error(`waiting for ${count} labels of ${size}, there came ${sizes(await seen(page, 'labels'))}`,
      { cause });
  });
  return newest;
}

describe('hint', { skip, timeout: 900_000 }, () => {
  /**
   * A camera of 1280×720 at 30 frames a second, through a real server.
   * @param {string[]} flags
   * @param {(page: import('puppeteer-core').Page, camera: string) => Promise<void>} check
   */
  async function live(flags, check) {
    const camera = await makeCamera(await aClip(), { width: 1280, height: 720, fps, seconds: 1 / fps }); // stands still
    const base = `http://localhost:${await freePort()}`;
    const args = ['serve', '--listen', new URL(base).host.replace('localhost', '127.0.0.1'), '--media',
      `:${await freePort()}`, ...flags];
    const server = await startServer(path.join(root, 'bin/mindflow'), args, base);
    let browser; // in the try: a server that is left running would keep the tests from ending
    try {
      browser = await launch({ camera });
      const page = await openPage(browser, 'about:blank');
      await page.evaluateOnNewDocument(fixedCameras, /** @type {[number, number][]} */ ([[1280, 720]]));
      await page.goto(base);
      await press(page, '.card-button');
      await waitState(page, 'live');
      await check(page, camera);
      assert.deepEqual(await seen(page, 'errors'), []);
    } finally {
      await browser?.close();
      await server.stop();
    }
  }

  test('a large camera is sent as small as the server wants it, and seen as large as it is', async (t) => {
    await live([], async (page, camera) => {
      const messages = await labelsOf(page, '640x360', 30);
      const sizes = (await seen(page, 'labels')).map((m) => `${m.width}x${m.height}`);
      const first = sizes.indexOf('640x360');
      t.diagnostic(`${first} messages before the first of 640x360`);
      assert.deepEqual([...new Set(sizes.slice(first))], ['640x360']);
      assert.equal((await encoding(page)).scaleResolutionDownBy, 2);
      assert.deepEqual(await page.$eval('mindflow-live >>> video', (el) => {
        const { videoWidth, videoHeight } = /** @type {HTMLVideoElement} */ (el);
        return [videoWidth, videoHeight];
      }), [1280, 720]);
      await t.test('boxes lie on the face', { skip: skipBoxes }, async () => {
        const [still] = await analyse(camera);
        const fits = messages.flatMap((m) => fit(m, still));
        assert.ok(fits.length > messages.length / 2, `${fits.length} boxes in ${messages.length} messages`);
        assert.ok(fits.filter((v) => v >= 0.7).length >= 0.95 * fits.length, `${fits}`);
      });
    });
  });

  test('a camera is sent as seldom as the server wants it; without a size it stays as large as it is', async (t) => {
    await live(['--max-side', '0', '--max-framerate', '10'], async (page) => {
      await labelsOf(page, '1280x720', 5);
      await until(async () => (await encoding(page)).maxFramerate === 10);
      const { shown, encoded } = await rates(page, 40);
      t.diagnostic(`${encoded.toFixed(1)} frames a second are sent, the visitor sees ${shown.toFixed(1)}`);
      assert.ok(encoded <= 11.5, `${encoded} frames a second are sent`); // a busy machine sends fewer
      assert.ok(shown > 1.2 * encoded, `the visitor sees ${shown} frames a second, ${encoded} are sent`);
      const messages = await labelsOf(page, '1280x720', 20);
      const seconds = ((messages[19].rtp - messages[0].rtp) >>> 0) / 90_000;
      assert.ok(19 / seconds <= 11.5, `${19 / seconds} labels a second`);
      assert.deepEqual([...new Set((await seen(page, 'labels')).map((m) => `${m.width}x${m.height}`))], ['1280x720']);
      assert.equal((await encoding(page)).scaleResolutionDownBy, 1);
    });
  });

  test('each hint is obeyed at once, in a pause and with another camera as well', async () => {
    let browser;
    const server = await serve(refuse(500, 'not set'));
    try {
      browser = await launch({ count: 3, flags: ['--disable-features=WebRtcHideLocalIpsWithMdns'] });
      const other = await peer(browser);
      server.handler.whip = other.whip;
      const page = await openPage(browser, 'about:blank');
      await page.evaluateOnNewDocument(fixedCameras, /** @type {[number, number][]} */ ([[1280, 720], [1920, 1080]]));
      await page.goto(server.url);
      await press(page, '.card-button');
      await waitState(page, 'live');
      const hint = (/** @type {object} */ fields) =>
        other.send('control', JSON.stringify({ v: 1, type: 'hint', ...fields }));
      const arrives = (/** @type {string} */ size) => until(async () => (await other.size()) === size)
        .catch(async (cause) => {
        throw new Error(`waiting for ${size}, there came ${await other.size()}`, { cause });
      });

      await arrives('1280x720'); // this server has not said anything
      await hint({ max_side: 640, max_framerate: 15 });
      await arrives('640x360');
      assert.equal((await encoding(page)).maxFramerate, 15);

      await press(page, '.pause');
      await waitState(page, 'paused');
      await hint({ max_side: 320 });
      await until(async () => (await encoding(page)).scaleResolutionDownBy === 4);
      const { active, maxFramerate } = await encoding(page);
      assert.deepEqual([active, maxFramerate], [false, undefined]);
      await press(page, '.pause');
      await waitState(page, 'live');
      await arrives('320x180');
      assert.equal((await encoding(page)).active, true);

      // Chromium's second test camera gives pictures of depth, which WebRTC does not send.
      const [, , third] = await page.$$eval('mindflow-live >>> .camera option',
        (list) => list.map((o) => /** @type {HTMLOptionElement} */ (o).value));
      await page.locator('mindflow-live >>> .camera select').fill(third);
      await until(async () => (await encoding(page)).scaleResolutionDownBy === 6);
      const before = await other.frames();
      await until(async () => (await other.frames()) > before + 5);
      await arrives('320x180');
      await hint({});
      await arrives('1920x1080');
      assert.deepEqual(await seen(page, 'errors'), []);
    } finally {
      await browser?.close();
      await server.close();
    }
  });
});
