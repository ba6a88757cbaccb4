// The whole way: a face before Chromium's camera, through the real server, to labels on the page.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { CHROMIUM, PATIENCE, freePort, launch, makeCamera, openPage, press, screenshot, seen, startServer, text, until,
  waitLabels, waitState } from './driver.js';
import { aClip, align, analyse, fit, fps, ours, root } from './truth.js';

const skip = !existsSync(CHROMIUM) ? `no Chromium at ${CHROMIUM}; set CHROMIUM`
  : !existsSync(path.join(root, 'bin/mindflow')) ? 'no bin/mindflow; run make build' : false;

/** @param {{message: any, at: number}[]} aligned @param {number} from @param {number} to seconds of the clip */
function happyShare(aligned, from, to) {
  const labels = aligned.filter(({ at }) => at >= from * fps && at < to * fps)
    .flatMap(({ message }) => message.faces.map((/** @type {any} */ f) => f.label));
  assert.ok(labels.length > 20, `only ${labels.length} labels between ${from} and ${to} s of the clip`);
  return labels.filter((label) => label === 'happy').length / labels.length;
}

describe('session', { skip, timeout: 900_000 }, () => {
  /** @type {string} */
  let camera;
  /** @type {string} the same clip at half the rate */
  let slowCamera;
  /** @type {any[]} the pipeline's own messages of the clip, a frame each */
  let frames;
  /** @type {string} */
  let base;
  /** @type {Awaited<ReturnType<typeof startServer>>} */
  let server;
  /** @type {import('puppeteer-core').Browser[]} */
  const browsers = [];
  /** @type {string[]} addresses of the test's sessions */
  const places = [];

  before(async () => {
    camera = await makeCamera(await aClip(), { width: 640, height: 480, fps });
    slowCamera = await makeCamera(await aClip(), { width: 640, height: 480, fps: fps / 2 });
    frames = await analyse(camera);
    const [port, media] = [await freePort(), await freePort()];
    base = `http://localhost:${port}`;
    server = await startServer(path.join(root, 'bin/mindflow'),
      ['serve', '--listen', `127.0.0.1:${port}`, '--media', `:${media}`, '--max-sessions', '2'], base);
  });
  afterEach(async () => {
    const leaving = browsers.splice(0);
    for (const browser of leaving) {
      for (const page of await browser.pages()) await page.goto('about:blank'); // as people leave: it ends the session
    }
    // The next test wants the places, and a browser that is closed at once may take the request with it.
    for (const place of places.splice(0)) await until(async () => (await fetch(place)).status === 404);
    for (const browser of leaving) await browser.close();
  });
  after(() => server?.stop());

  /**
   * Opens the page in a browser of its own and presses Start.
   * @param {import('./driver.js').Look} [look]
   * @param {string} [from] the camera
   */
  async function start(look, from = camera) {
    const browser = await launch({ camera: from });
    browsers.push(browser);
    const page = await openPage(browser, base, look);
    page.on('response', (response) => {
      const { location } = response.headers();
      if (response.status() === 201 && location) places.push(new URL(location, response.url()).href);
    });
    const clicked = Date.now();
    await press(page, '.card-button');
    await waitState(page, 'live');
    return { page, connected: Date.now() - clicked };
  }

  test('a face gets its labels: at once, on its own frame, and the right ones', async (t) => {
    const { page, connected } = await start();
    assert.ok(connected < 2000, `connecting took ${connected} ms`);
    await waitLabels(page, 5);
    const began = Date.now();
    const first = (await seen(page, 'labels')).length;
    // the whole clip
    await page.waitForFunction((/** @type {number} */ until) => Date.now() > until,
      { timeout: 2 * PATIENCE, polling: 250 }, began + 21_000);
    const messages = (await seen(page, 'labels')).slice(first);
    const rate = messages.length / ((Date.now() - began) / 1000);
    const latency = messages.map((m) => m.ms.total).sort((a, b) => a - b);
    const [median, p95] = [latency[latency.length >> 1], latency[Math.floor(latency.length * 0.95)]];
    t.diagnostic(`connected in ${connected} ms; ${rate.toFixed(1)} labels a second; `
      + `median ${median} ms, p95 ${p95} ms from packet to label`);
    assert.ok(rate >= 10, `${rate.toFixed(1)} label messages a second`);
    await screenshot(page, 'live-desk-light');

    const aligned = align(messages, frames);
    const fits = aligned.flatMap(({ message, at }) => fit(message, frames[at]));
    const good = fits.filter((v) => v >= 0.7).length / fits.length;
    t.diagnostic(`${fits.length} boxes, ${(100 * good).toFixed(1)} % at IoU 0.7 or more`);
    assert.ok(fits.length > messages.length / 2, `${fits.length} boxes in ${messages.length} messages`);
    assert.ok(good >= 0.95, `${(100 * good).toFixed(1)} % of the boxes lie on their frame's face`);

    if (ours) {
      const [early, late] = [happyShare(aligned, 0, 10), happyShare(aligned, 15.7, 19.7)];
      t.diagnostic(
        `happy: ${(100 * early).toFixed(0)} % of the first ten seconds, ${(100 * late).toFixed(0)} % of the last four`);
      assert.ok(late > early + 0.4, `happy ${early} of the first ten seconds, ${late} of the last four`);
    }
  });

  test('two browsers at once, a third is told that the server is full', async (t) => {
    // At 30 frames a second, encoding and drawing in two browsers take two thirds of a slow machine with two cores. At
    // half the rate the test measures the server.
    const [one, two] = await Promise.all([start({ dark: true }, slowCamera), start({ phone: true }, slowCamera)]);
    const rates = await Promise.all([one, two].map(async ({ page }) => {
      const first = (await waitLabels(page, 10)).length;
      const began = Date.now();
      await waitLabels(page, first + 80);
      return 80_000 / (Date.now() - began);
    }));
    t.diagnostic(`label messages a second: ${rates.map((r) => r.toFixed(1)).join(' and ')}`);
    await screenshot(one.page, 'live-desk-dark');
    await screenshot(two.page, 'live-phone-light');
    const third = await launch({ camera });
    browsers.push(third);
    const page = await openPage(third, base);
    await press(page, '.card-button');
    await waitState(page, 'full');
    await screenshot(page, 'full-desk-light');
    assert.ok(rates.every((r) => r >= 10), `label messages a second: ${rates}`);
  });

  test('Stop lets go of the camera and of the place on the server', async () => {
    const { page } = await start({ phone: true, dark: true });
    await waitLabels(page, 20);
    await screenshot(page, 'live-phone-dark');
    await page.evaluate(() => {
      const video = /** @type {HTMLVideoElement} */ (
        document.querySelector('mindflow-live')?.shadowRoot?.querySelector('video'));
      /** @type {any} */ (window).tracks = /** @type {MediaStream} */ (video.srcObject).getTracks();
    });
    await press(page, '.stop');
    await waitState(page, 'stopped');
    assert.deepEqual(await page.evaluate(() => /** @type {any} */ (window).tracks
      .map((/** @type {MediaStreamTrack} */ t) => t.readyState)), ['ended']);
    assert.match(await text(page, '.card'), /Start/);
    const [again, other] = await Promise.all([start(), start()]); // both places are free at once
    await Promise.all([waitLabels(again.page, 3), waitLabels(other.page, 3)]);
  });

  test('the server goes away and comes back: the page reconnects by itself', async () => {
    const { page } = await start();
    await waitLabels(page, 5);
    const args = ['serve', '--listen', new URL(base).host.replace('localhost', '127.0.0.1'), '--media',
      `:${await freePort()}`];
    await server.stop();
    await page.waitForFunction(() => /** @type {any} */ (window).seen.states
      .some((/** @type {any} */ s) => s.state === 'reconnecting'), { timeout: PATIENCE });
    await screenshot(page, 'reconnecting-desk-light');
    server = await startServer(path.join(root, 'bin/mindflow'), args, base);
    await waitState(page, 'live');
    assert.ok(!(await seen(page, 'states')).some((s) => s.state === 'full'),
      'a server that stops was taken for a full one');
    const before = (await seen(page, 'labels')).length;
    await waitLabels(page, before + 5);
  });

  test('a fault in C ends the process: the next one serves, and the page reconnects by itself', async () => {
    const [port, media] = [await freePort(), await freePort()];
    const url = `http://localhost:${port}`;
    const supervised = await startServer(path.join(root, 'bin/mindflow'),
      ['serve', '--supervise', '--listen', `127.0.0.1:${port}`, '--media', `127.0.0.1:${media}`], url);
    const browser = await launch({ camera });
    try {
      const page = await openPage(browser, url);
      await press(page, '.card-button');
      await waitState(page, 'live');
      await waitLabels(page, 5);
      const child = Number(/msg=supervising pid=(\d+)/.exec(supervised.log())?.[1]);
      process.kill(child, 'SIGSEGV');
      await page.waitForFunction(() => /** @type {any} */ (window).seen.states
        .some((/** @type {any} */ s) => s.state === 'reconnecting'), { timeout: PATIENCE });
      await waitState(page, 'live', undefined, 60_000);
      const before = (await seen(page, 'labels')).length;
      await waitLabels(page, before + 5);
    } finally {
      await browser.close();
      await supervised.stop();
    }
  });
});
