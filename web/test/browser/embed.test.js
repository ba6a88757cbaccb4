// Pages of other origins: who may embed the widget, and who may show the page in a frame.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { CHROMIUM, freePort, launch, openPage, press, startServer, until, waitLabels, waitState } from './driver.js';
import { root } from './truth.js';

const skip = !existsSync(CHROMIUM) ? `no Chromium at ${CHROMIUM}; set CHROMIUM`
  : !existsSync(path.join(root, 'bin/mindflow')) ? 'no bin/mindflow; run make build' : false;

describe('other origins', { skip, timeout: 360_000 }, () => {
  /** @type {string} the server's own */
  let base;
  /** @type {import('node:http').Server} of the other pages; by two names, of which one is allowed */
  let others;
  /** @type {{friend: string, stranger: string}} */
  let origins;
  /** @type {Awaited<ReturnType<typeof startServer>>} */
  let server;
  /** @type {import('puppeteer-core').Browser} */
  let browser;

  before(async () => {
    const [port, media] = [await freePort(), await freePort()];
    base = `http://localhost:${port}`;
    others = createServer((req, res) => {
      res.setHeader('Content-Type', 'text/html');
      if (req.url === '/strict') res.setHeader('Content-Security-Policy', `script-src ${base}; worker-src 'none'`);
      res.end(req.url === '/frame' ? `<!doctype html><iframe src="${base}/" allow="camera"></iframe>`
        : `<!doctype html><script type="module" src="${base}/mindflow.js"></script>`
          + `<mindflow-live src="${base}"></mindflow-live>`);
    }).listen(0, '127.0.0.1');
    await once(others, 'listening');
    const { port: other } = /** @type {import('node:net').AddressInfo} */ (others.address());
    origins = { friend: `http://localhost:${other}`, stranger: `http://127.0.0.1:${other}` };
    server = await startServer(path.join(root, 'bin/mindflow'),
      ['serve', '--listen', `127.0.0.1:${port}`, '--media', `:${media}`, '--allow-origin', origins.friend], base);
    browser = await launch({ count: 1 });
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
    others?.close();
  });

  /** The frame of the page at url, when it shows something. @param {string} url */
  async function framed(url) {
    const page = await browser.newPage();
    await page.goto(url);
    await until(() => page.frames().length === 2 && page.frames()[1].url() !== ''
      && page.frames()[1].url() !== 'about:blank');
    const frame = page.frames()[1];
    const shows = frame.url() === `${base}/` && Boolean(await frame.$('mindflow-live'));
    await page.close();
    return shows;
  }

  test('a page of an allowed origin may show the page in a frame, another may not', async () => {
    assert.equal(await framed(`${origins.friend}/frame`), true);
    assert.equal(await framed(`${origins.stranger}/frame`), false);
  });

  test('a page of an allowed origin embeds the widget, and gets labels', async () => {
    const page = await openPage(browser, `${origins.friend}/`);
    await press(page, '.card-button');
    await waitState(page, 'live');
    await waitLabels(page, 3);
    await page.close();
  });

  /** Runs in the page: counts senders whose frames are seen encoded. */
  function countTransforms() {
    const Real = RTCRtpScriptTransform;
    Object.assign(window, { transforms: 0, RTCRtpScriptTransform: class extends Real {
      /** @param {Worker} worker @param {any} options */
      constructor(worker, options) {
        super(worker, options);
        /** @type {any} */ (window).transforms++;
      }
    } });
  }

  for (const [place, transforms] of /** @type {const} */ ([['/', 1], ['/strict', 0]])) {
    const how = transforms ? 'as a worker of the page saw it leave' : 'also where the page allows no worker';
    test(`labels tell when their frame was captured, ${how}`, async () => {
      const page = await browser.newPage();
      await page.evaluateOnNewDocument(countTransforms);
      await page.goto(origins.friend + place);
      const told = await page.evaluate(async (src) => {
        const { MindflowClient } = await import(`${src}/mindflow.js`);
        for await (const { captureTime } of new MindflowClient({ src })) {
          const now = performance.now();
          if (captureTime !== undefined) return { captureTime, now };
        }
        return undefined;
      }, base);
      assert.ok(told, 'the loop ended');
      assert.ok(told.captureTime < told.now && told.captureTime > told.now - 2000, JSON.stringify(told));
      assert.equal(await page.evaluate(() => /** @type {any} */ (window).transforms), transforms);
      await page.close();
    });
  }

  test('a page of another origin gets neither the widget nor an answer', async () => {
    const page = await browser.newPage();
    await page.goto(`${origins.stranger}/`);
    const refused = await page.evaluate(async (url) => {
      try {
        await fetch(`${url}/whip`);
        return false;
      } catch {
        return true;
      }
    }, base);
    assert.equal(refused, true);
    assert.equal(await page.evaluate(() => customElements.get('mindflow-live') === undefined), true);
    await page.close();
  });

  test('the page keeps to its own policy', async () => {
    const page = await openPage(browser, base);
    /** @type {string[]} */
    const complaints = [];
    page.on('console',
      (message) => { if (message.type() === 'error' || message.type() === 'warn') complaints.push(message.text()); });
    await page.reload({ waitUntil: 'load' });
    await press(page, '.card-button');
    await waitState(page, 'live');
    await waitLabels(page, 3);
    assert.deepEqual(complaints, []);
    await page.close();
  });
});
