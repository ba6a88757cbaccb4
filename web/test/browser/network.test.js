// A page over bad lines, with a real Chromium, which sends as much as it finds the line to carry.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { CHROMIUM, freePort, launch, makeCamera, openPage, press, seen, startServer, until, waitLabels,
  waitState } from './driver.js';
import { Line } from './line.js';
import { aClip, root } from './truth.js';

const skip = !existsSync(CHROMIUM) ? `no Chromium at ${CHROMIUM}; set CHROMIUM`
  : !existsSync(path.join(root, 'bin/mindflow')) ? 'no bin/mindflow; run make build' : false;

/**
 * Runs in the page: has it find the line in the place of the media port, and notes when each label comes and what it
 * asks for over HTTP.
 */
function detour(/** @type {number} */ media, /** @type {number} */ line) {
  const real = RTCPeerConnection.prototype.setRemoteDescription;
  RTCPeerConnection.prototype.setRemoteDescription = function set(/** @type {any} */ d) {
    return Reflect.apply(real, this,
      [{ type: d.type, sdp: d.sdp.replaceAll(` 127.0.0.1 ${media} `, ` 127.0.0.1 ${line} `) }]);
  };
  const times = /** @type {number[]} */ (/** @type {any} */ (window).times = []);
  addEventListener('mindflow-labels', () => times.push(Date.now()));
  const asked = /** @type {string[]} */ (/** @type {any} */ (window).asked = []);
  const { fetch } = window;
  window.fetch = (url, init) => {
    const to = new URL(String(url), location.href).pathname.replace(/[^/]{20,}/, 'ID');
    const search = init?.method === 'PATCH' && !String(init.body).includes('a=mid:'); // no candidates, nor their end
    asked.push(`${init?.method ?? 'GET'} ${to}${search ? ' for a restart' : ''}`);
    return fetch(url, init);
  };
}

const DETOUR = 'GET /sessions/ID/labels';
const RESTART = 'PATCH /sessions/ID for a restart';

describe('bad lines', { skip, timeout: 1_800_000 }, () => {
  /** @type {Awaited<ReturnType<typeof startServer>>} */
  let server;
  /** @type {import('puppeteer-core').Browser} */
  let browser;
  /** @type {import('puppeteer-core').Page} */
  let page;
  /** @type {Line} */
  let line;
  let [base, media] = ['', 0];

  before(async () => {
    base = `http://127.0.0.1:${await freePort()}`;
    media = await freePort();
    server = await startServer(path.join(root, 'bin/mindflow'),
      ['serve', '--listen', new URL(base).host, '--media', `127.0.0.1:${media}`], base, 60_000);
    browser = await launch({ camera: await makeCamera(await aClip(), { width: 640, height: 480, fps: 24 }) });
  });
  afterEach(async () => {
    await page.goto('about:blank');
    await page.close();
    line.close();
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  const asked = () => page.evaluate(() => /** @type {string[]} */ (/** @type {any} */ (window).asked));
  const times = () => page.evaluate(() => /** @type {number[]} */ (/** @type {any} */ (window).times));

  async function start() {
    line = new Line(media);
    const port = await line.open();
    line.conditions = { delay: 20 };
    page = await openPage(browser, 'about:blank');
    await page.evaluateOnNewDocument(detour, media, port);
    await page.goto(base, { waitUntil: 'load' });
    await press(page, '.card-button');
    await waitState(page, 'live', undefined, 60_000);
    await waitLabels(page, 30, 60_000);
  }

  async function sameSession() {
    assert.equal((await seen(page, 'states')).filter((s) => s.state === 'live').length, 1, 'the session lasted');
    assert.deepEqual(await seen(page, 'errors'), []);
  }

  /**
   * Waits until labels keep coming again after a time, and gives how long they took: one may still have been under way.
   * @param {number} since @param {number} count of them @param {number} ms in which they come
   */
  async function back(since, count = 10, ms = 1000) {
    const first = async () => (await times()).find((t, i, all) => t >= since && all[i + count - 1] - t < ms);
    await until(async () => (await first()) !== undefined, 60_000);
    return /** @type {number} */ (await first()) - since;
  }

  for (const [name, conditions] of /** @type {[string, import('./line.js').Conditions][]} */ ([
    ['1 % lost', { delay: 20, loss: 0.01 }], ['5 % lost', { delay: 20, loss: 0.05 }],
      ['10 % lost', { delay: 20, loss: 0.1 }],
    ['20 % lost', { delay: 20, loss: 0.2 }], ['100 ± 30 ms, out of order', { delay: 100, jitter: 30 }],
    ['300 kbit/s', { delay: 20, rate: 300_000 }],
  ])) {
    test(name, async (t) => {
      await start();
      line.conditions = conditions;
      const began = Date.now();
      const before = line.seen;
      await back(began + 10_000, 20, Infinity); // it goes on, after the sender has found out
      const got = (await times()).filter((at) => at >= began);
      const gaps = got.slice(1).map((at, i) => at - got[i]);
      const total = (await seen(page, 'labels')).slice(-60).map((m) => m.ms.total).sort((a, b) => a - b);
      const rate = got.length / ((got[got.length - 1] - began) / 1000);
      t.diagnostic(
        `| ${name} | ${rate.toFixed(1)} | ${(Math.max(...gaps) / 1000).toFixed(2)} s | ${total[30]?.toFixed(1)} ms |`);
      assert.ok(line.seen - before > 2 * got.length, `the video went another way: ${line.seen - before} datagrams`);
      await sameSession();
    });
  }

  test('an outage of three seconds', async (t) => {
    await start();
    line.conditions = { down: true };
    await new Promise((resolve) => setTimeout(resolve, 3000)); // the length of the outage, not a wait for something
    line.conditions = { delay: 20 };
    t.diagnostic(`| an outage of 3 s | labels ${await back(Date.now())} ms after it |`);
    await sameSession();
    const all = await asked();
    assert.ok(all.includes(DETOUR) && all.includes(RESTART), `asked for: ${all.join(', ')}`);
  });

  test('another address', async (t) => {
    await start();
    line.move();
    t.diagnostic(`| another address | labels again after ${await back(Date.now())} ms |`);
    await sameSession(); // whether Chromium checked its path in time or ICE was restarted
  });
});
