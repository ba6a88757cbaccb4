// The page in Firefox, driven over WebDriver BiDi: a canvas with a face stands in for a camera.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import puppeteer from 'puppeteer-core';
import { freePort, PATIENCE, startServer, until } from './driver.js';
import { countLeftovers, left } from './leftovers.js';
import { root } from './truth.js';

const FIREFOX = process.env.FIREFOX ?? '/usr/bin/firefox-esr';
const photo = path.join(root, 'node_modules/@vladmandic/face-api/demo/sample1.jpg');
const skip = !existsSync(FIREFOX) ? `no Firefox at ${FIREFOX}; set FIREFOX`
  : !existsSync(photo) ? `no photograph at ${photo}; run make test` : !existsSync(path.join(root, 'bin/mindflow'))
    ? 'no bin/mindflow; run make build' : false;

/** @typedef {import('../../live/element.js').MindflowLive} MindflowLive */

/**
 * Runs in the page before its own scripts: cameras are canvases, and events are noted.
 * @param {string} picture as a data: address
 */
function prepare(picture) {
  const tracks = /** @type {MediaStreamTrack[]} */ ([]);
  const devices = navigator.mediaDevices;
  devices.getUserMedia = async () => {
    const image = new Image();
    image.src = picture;
    await image.decode();
    const canvas = document.createElement('canvas');
    Object.assign(canvas, { width: 640, height: 480 });
    const scale = Math.min(640 / image.width, 480 / image.height);
    const draw = () => canvas.getContext('2d')?.drawImage(image, 0, 0, image.width * scale, image.height * scale);
    draw();
    const timer = setInterval(draw, 50);
    const stream = canvas.captureStream(20);
    const [track] = stream.getVideoTracks();
    const stop = track.stop.bind(track);
    track.stop = () => { clearInterval(timer); stop(); };
    tracks.push(track);
    return stream;
  };
  const seen = { states: /** @type {string[]} */ ([]), labels: /** @type {any[]} */ ([]),
    errors: /** @type {any[]} */ ([]), tracks };
  Object.assign(window, { seen });
  addEventListener('mindflow-state', (e) => seen.states.push(/** @type {CustomEvent} */ (e).detail.state));
  addEventListener('mindflow-labels', (e) => seen.labels.push(/** @type {CustomEvent} */ (e).detail));
  addEventListener('mindflow-error', (e) => seen.errors.push(/** @type {CustomEvent} */ (e).detail));
}

describe('Firefox', { skip, timeout: 900_000 }, () => {
  /** @type {string} */
  let base;
  /** @type {string[]} */
  let args;
  /** @type {Awaited<ReturnType<typeof startServer>>} */
  let server;
  /** @type {import('puppeteer-core').Browser} */
  let browser;
  /** @type {import('node:http').Server} of an example */
  let example;
  /** @type {string} where it is */
  let site;
  const picture = () => `data:image/jpeg;base64,${readFileSync(photo).toString('base64')}`;

  before(async () => {
    const [port, media] = [await freePort(), await freePort()];
    base = `http://localhost:${port}`;
    const plain = readFileSync(path.join(root, 'docs/examples/plain.html'), 'utf8')
      .replaceAll('https://YOUR-HOST', base);
    example = createServer((_, response) => response.setHeader('Content-Type',
      'text/html; charset=utf-8').end(plain)).listen(0, '127.0.0.1');
    await once(example, 'listening');
    site = `http://localhost:${/** @type {import('node:net').AddressInfo} */ (example.address()).port}`;
    args = ['serve', '--listen', `127.0.0.1:${port}`, '--media', `:${media}`, '--allow-origin', site];
    server = await startServer(path.join(root, 'bin/mindflow'), args, base);
    browser = await puppeteer.launch({
      browser: 'firefox', executablePath: FIREFOX, headless: true,
      extraPrefsFirefox: {
        'media.peerconnection.ice.loopback': true, // without a network there is nothing else
        'media.peerconnection.ice.obfuscate_host_addresses': false,
        'media.navigator.permission.disabled': true,
      },
    });
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
    example?.close();
  });

  /** The page, gone live. */
  async function live() {
    const page = await browser.newPage();
    await page.evaluateOnNewDocument(prepare, picture());
    await page.evaluateOnNewDocument(countLeftovers);
    await page.goto(base);
    await page.waitForFunction(() => document.querySelector('mindflow-live')?.shadowRoot?.querySelector(
      '.card-button'));
    await page.$eval('mindflow-live',
      (el) => /** @type {HTMLElement} */ (el.shadowRoot?.querySelector('.card-button')).click());
    await faces(page, 3);
    return page;
  }

  /** Waits for so many more messages with a face. @param {import('puppeteer-core').Page} page @param {number} more */
  async function faces(page, more) {
    const count = () => page.evaluate(() => /** @type {any} */ (window).seen.labels
      .filter((/** @type {any} */ m) => m.faces.length > 0).length);
    const before = await count();
    await until(async () => (await count()) >= before + more, 40_000);
  }

  test('connects, gets labels, pauses, stops and lets go of the camera', async () => {
    const page = await live();
    // drawn after it came
    await until(() => page.$eval('mindflow-live', (el) =>
      /^\w+\d+%$/.test(el.shadowRoot?.querySelector('.bars .top')?.textContent ?? '')));
    await page.$eval('mindflow-live', (el) => /** @type {MindflowLive} */ (el).pause());
    await until(() => page.evaluate(() => /** @type {any} */ (window).seen.states.at(-1) === 'paused'));
    await page.$eval('mindflow-live', (el) => /** @type {MindflowLive} */ (el).resume());
    await faces(page, 3);
    await page.$eval('mindflow-live', (el) => /** @type {MindflowLive} */ (el).stop());
    await until(() => page.evaluate(() => {
      const { states, tracks } = /** @type {any} */ (window).seen;
      return states.at(-1) === 'stopped' && tracks.every((/** @type {MediaStreamTrack} */ t) =>
        t.readyState === 'ended');
    }));
    assert.deepEqual(await page.evaluate(() => /** @type {any} */ (window).seen.errors), []);
    await page.close();
  });

  test('the server goes away and comes back: the page reconnects by itself', async () => {
    const page = await live();
    await server.stop();
    await until(() => page.evaluate(() => /** @type {any} */ (window).seen.states.includes('reconnecting')));
    server = await startServer(path.join(root, 'bin/mindflow'), args, base);
    await until(() => page.evaluate(() => /** @type {any} */ (window).seen.states.at(-1) === 'live'), 2 * PATIENCE)
      .catch(async (cause) => {
      throw new Error(
        `the states were ${await page.evaluate(() => /** @type {any} */ (window).seen.states.join(' → '))}`, { cause });
    });
    await faces(page, 3);
    await page.close();
  });

  test('plain.html of another origin, with two widgets: each is live, and their events reach the page', async () => {
    const page = await browser.newPage();
    await page.evaluateOnNewDocument(prepare, picture());
    await page.goto(site);
    await page.waitForFunction(() => customElements.get('mindflow-live'));
    await page.evaluate(() => {
      const first = /** @type {MindflowLive} */ (document.querySelector('mindflow-live'));
      const second = /** @type {MindflowLive} */ (first.cloneNode());
      Object.assign(window, { from: new Set() });
      addEventListener('mindflow-labels', (e) => /** @type {any} */ (window).from.add(e.target));
      first.after(second);
      return Promise.all([first.start(), second.start()]);
    });
    await until(() => page.evaluate(() => /** @type {any} */ (window).from.size === 2
      && /^\w+/.test(document.getElementById('mood')?.textContent ?? '')));
    assert.deepEqual(await page.evaluate(() => /** @type {any} */ (window).seen.errors), []);
    await page.close();
  });

  test('an element that is removed leaves nothing behind', async () => {
    const page = await live();
    await page.evaluate(() => document.querySelector('mindflow-live')?.remove());
    await left(page, ['submit on HTMLFormElement']); // the page’s own
    await page.close();
  });

  test('a page without permission says what to do', async () => {
    const page = await browser.newPage();
    await page.evaluateOnNewDocument(() => {
      navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('not now', 'NotAllowedError'); };
    });
    await page.goto(base);
    await page.waitForFunction(() => document.querySelector('mindflow-live')?.shadowRoot?.querySelector(
      '.card-button'));
    await page.$eval('mindflow-live',
      (el) => /** @type {HTMLElement} */ (el.shadowRoot?.querySelector('.card-button')).click());
    await page.waitForFunction(() => /not allowed/.test(
      document.querySelector('mindflow-live')?.shadowRoot?.querySelector('.card-title')?.textContent ?? ''));
    await page.close();
  });
});
