// The widget in pages of others, as the examples in docs/ have it, against the real server.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { CHROMIUM, PATIENCE, freePort, launch, makeCamera, openPage, press, screenshot, SHOTS, startServer, until,
  waitLabels, waitState } from './driver.js';
import { countLeftovers, left, leftovers } from './leftovers.js';
import { aClip, root } from './truth.js';

const skip = !existsSync(CHROMIUM) ? `no Chromium at ${CHROMIUM}; set CHROMIUM`
  : !existsSync(path.join(root, 'bin/mindflow')) ? 'no bin/mindflow; run make build' : false;

/** @typedef {import('../../live/element.js').MindflowLive} MindflowLive */

describe('widget', { skip, timeout: 1_200_000 }, () => {
  /** @type {string} */
  let base;
  /** @type {string} */
  let home;
  /** @type {import('node:http').Server} of pages of another origin */
  let others;
  /** @type {Awaited<ReturnType<typeof startServer>>} */
  let server;
  /** @type {import('puppeteer-core').Browser} */
  let browser;

  before(async () => {
    const [port, media] = [await freePort(), await freePort()];
    base = `http://localhost:${port}`;
    others = createServer((request, response) => {
      response.setHeader('Content-Type', 'text/html; charset=utf-8');
      const name = request.url?.slice(1) ?? '';
      const example = path.join(root, 'docs/examples', name);
      if (!name) response.end('<!doctype html><html lang="en"><title>Empty</title>'
        + `<script type="module" src="${base}/mindflow.js"></script>`);
      else if (/^\w+\.html$/.test(name) && existsSync(example)) response.end(readFileSync(example, 'utf8')
        .replaceAll('https://YOUR-HOST', base));
      else response.writeHead(404).end();
    }).listen(0, '127.0.0.1');
    await once(others, 'listening');
    home = `http://localhost:${/** @type {import('node:net').AddressInfo} */ (others.address()).port}`;
    server = await startServer(path.join(root, 'bin/mindflow'),
      ['serve', '--listen', `127.0.0.1:${port}`, '--media', `:${media}`, '--allow-origin', home, '--max-sessions', '8'],
        base);
    browser = await launch({ camera: await makeCamera(await aClip(),
      { width: 640, height: 480, fps: 30, seconds: 5 }) });
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
    others?.close();
  });

  test('plain.html: one line embeds it, and its events reach the page', async () => {
    const page = await openPage(browser, `${home}/plain.html`);
    await press(page, '.card-button');
    await waitState(page, 'live');
    await page.waitForFunction(() => /^\w+$/.test(document.getElementById('mood')?.textContent ?? ''),
      { timeout: PATIENCE });
    await page.close();
  });

  test('iframe.html: a frame of another origin is as tall as what is in it, and passes events on', async () => {
    const page = await openPage(browser, `${home}/iframe.html`);
    await until(() => page.frames().length === 2);
    const frame = page.frames()[1];
    await frame.waitForSelector('mindflow-live >>> .card-button');
    // as its address asks
    assert.match(await frame.$eval('mindflow-live >>> .card-title', (el) => el.textContent ?? ''),
      /Voyez ce qu’un réseau/);
    await page.waitForFunction(() => (document.querySelector('iframe')?.clientHeight ?? 0) > 400);
    const inside = await frame.evaluate(() => document.documentElement.offsetHeight);
    await page.waitForFunction((h) => Math.abs((document.querySelector('iframe')?.clientHeight ?? 0) - h) < 2, {},
      inside);
    await frame.locator('mindflow-live >>> .card-button').click();
    await waitLabels(page, 3);
    await page.waitForFunction(() => (document.getElementById('mood')?.textContent ?? '') !== '');
    await screenshot(page, 'iframe-french', { fullPage: true });
    await page.close();
  });

  test('headless.html: a loop over labels', async () => {
    const page = await openPage(browser, `${home}/headless.html`);
    await page.locator('#go').click();
    await page.waitForFunction(() => /^\w+ \d+ %$/.test(document.getElementById('mood')?.textContent ?? ''),
      { timeout: PATIENCE });
    await page.close();
  });

  test('attributes are properties, and the other way round', async () => {
    const page = await openPage(browser, home);
    assert.deepEqual(await page.evaluate(async (src) => {
      await customElements.whenDefined('mindflow-live');
      const live = /** @type {MindflowLive} */ (document.createElement('mindflow-live'));
      Object.assign(live, { src, facing: 'environment', maxFaces: 2, overlay: 'off', locale: 'fr', autostart: true,
        mirror: false, attention: 'mean', token: 'secret' });
      const attributes = Object.fromEntries([...live.attributes].map((a) => [a.name, a.value]));
      live.setAttribute('max-faces', 'many');
      live.removeAttribute('overlay');
      return { attributes, most: live.maxFaces === Infinity, overlay: live.overlay, state: live.state,
        token: live.token };
    }, base), {
      attributes: { src: base, facing: 'environment', 'max-faces': '2', overlay: 'off', locale: 'fr', autostart: '',
        mirror: 'off', attention: 'mean' },
      most: true, overlay: 'live', state: 'idle', token: 'secret',
    });
    await page.close();
  });

  test('two widgets, streams that are given, moved, removed: each lives for itself, and nothing stays', async () => {
    const page = await openPage(browser, home, {}, countLeftovers);
    await page.evaluate(async (src) => {
      await customElements.whenDefined('mindflow-live');
      const own = await navigator.mediaDevices.getUserMedia({ video: true });
      const given = document.createElement('mindflow-live');
      const camera = document.createElement('mindflow-live');
      given.id = 'given';
      camera.id = 'camera';
      for (const live of [given, camera]) live.setAttribute('src', src);
      /** @type {MindflowLive} */ (given).srcObject = own;
      camera.setAttribute('autostart', '');
      Object.assign(window, { own, count: { given: 0, camera: 0 } });
      addEventListener('mindflow-labels',
        (e) => { /** @type {any} */ (window).count[/** @type {Element} */ (e.target).id]++; });
      /** @type {any} */ (window).leftovers.own();
      document.body.append(given, document.createElement('div'), camera);
      await /** @type {MindflowLive} */ (given).start();
    }, base);
    const counts = () => page.evaluate(() => /** @type {any} */ (window).count);
    await until(async () => Object.values(await counts()).every((n) => n > 3));
    assert.equal(await page.evaluate(() => /** @type {MindflowLive} */ (document.getElementById('given')).mirror),
      false);
    // Moved: the session goes on.
    await page.evaluate(() => document.querySelector('div')?.append(
      /** @type {Node} */ (document.getElementById('camera'))));
    const before = (await counts()).camera;
    await until(async () => (await counts()).camera > before + 3, 20_000);
    assert.equal((await leftovers(page)).filter((what) => what === 'RTCPeerConnection').length, 2);
    // What is shown, as a file.
    const kind = await page.evaluate(async () => {
      const blob = await /** @type {MindflowLive} */ (document.getElementById('given')).snapshot(
        { type: 'image/jpeg' });
      const { width, height } = await createImageBitmap(blob);
      return [blob.type, width, height];
    });
    assert.deepEqual(kind, ['image/jpeg', 640, 480]);
    await page.evaluate(() => { for (const live of document.querySelectorAll('mindflow-live')) live.remove(); });
    await left(page);
    assert.equal(await page.evaluate(() => /** @type {any} */ (window).own.getTracks()[0].readyState), 'live',
      'the page’s own track was stopped');
    await page.close();
  });

  test('who has the session’s id watches its labels elsewhere', async () => {
    const page = await openPage(browser, base);
    await press(page, '.card-button');
    await waitState(page, 'live');
    await waitLabels(page, 2);
    const session = await page.$eval('mindflow-live', (el) => /** @type {MindflowLive} */ (el).session);
    const viewer = await browser.newPage();
    await viewer.goto(`${base}/watch/${session}`);
    await viewer.waitForFunction(() => /^(Neutral|Sad|Happy|Uncertain|Fear|Anger|Surprise|Disgust|Contempt)$/.test(
      document.querySelector('#faces .label')?.textContent ?? ''), { timeout: PATIENCE });
    assert.match(await viewer.$eval('#faces', (el) => el.textContent ?? ''), /Neutral\d+%/);
    await viewer.screenshot({ path: path.join(SHOTS, 'watch.png') });
    // a page behind another one draws nothing, so nothing can be clicked
    await page.$eval('mindflow-live', (el) => /** @type {MindflowLive} */ (el).stop());
    await viewer.waitForFunction(() => /has ended/.test(document.getElementById('state')?.textContent ?? ''));
    await viewer.goto(`${base}/watch/nobody`);
    await viewer.waitForFunction(() => /no such session/.test(document.getElementById('state')?.textContent ?? ''));
    for (const p of [viewer, page]) await p.close();
  });
});
