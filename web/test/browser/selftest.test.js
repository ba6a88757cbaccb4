// The connection test, in Chromium against the real server: by a way that works, and where none does.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { CHROMIUM, freePort, launch, openPage, screenshot, startServer, until } from './driver.js';
import { serve } from './standin.js';

const root = path.join(import.meta.dirname, '../../..');
const binary = path.join(root, 'bin/mindflow');
const skip = !existsSync(CHROMIUM) ? `no Chromium at ${CHROMIUM}; set CHROMIUM` : !existsSync(binary)
  ? 'no bin/mindflow; run make build' : false;

describe('selftest', { skip, timeout: 540_000 }, () => {
  /** @type {import('puppeteer-core').Browser} */
  let browser;
  /** @type {string} */
  let base;
  /** @type {Awaited<ReturnType<typeof startServer>>} */
  let server;

  before(async () => {
    const [port, media, turn] = [await freePort(), await freePort(), await freePort()];
    base = `http://localhost:${port}`;
    server = await startServer(binary, ['serve', '--listen', `127.0.0.1:${port}`, '--media', `127.0.0.1:${media}`,
      '--media-tcp', `127.0.0.1:${media}`, '--turn', `127.0.0.1:${turn}`, '--turn-host', '127.0.0.1'], base);
    browser = await launch({ allow: false }); // a camera that is asked for is refused
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  /** Runs the test to its verdict. @param {string} url @param {import('./driver.js').Look} [look] */
  async function tested(url, look) {
    const page = await openPage(browser, url, look);
    await page.click('#run');
    await page.waitForSelector('#report:not([hidden])', { timeout: 60_000 });
    const read = (/** @type {string} */ selector) =>
      page.$$eval(selector, (all) => all.map((el) => el.textContent ?? ''));
    return { page, checks: await read('#checks li'), verdict: (await read('#verdict')).join(),
      report: (await read('#report pre')).join() };
  }

  test('says by which way it works, and leaves no session behind', async () => {
    const { page, checks, verdict, report } = await tested(`${base}/selftest`);
    assert.match(checks[0], /server answers.*ready/);
    assert.match(checks[1], /UDP.*Connected in \d+ ms \((host|prflx).* to host, UDP\).*first label/);
    assert.match(checks[2], /TCP.*Connected in \d+ ms \((host|prflx).* to host, TCP\).*first label/);
    assert.match(checks[3], /relay.*Connected in \d+ ms \(relay over (UDP|TCP) to host, UDP\).*first label/);
    assert.match(verdict, /It works, by UDP/);
    assert.match(report, /udp: \{.*"result":"works"/);
    await screenshot(page, 'selftest-works-desk-light', { fullPage: true });
    const sessions = report.match(/./g) && await page.evaluate(() => performance.getEntriesByType('resource')
      .filter((e) => e.name.includes('/sessions/')).map((e) => e.name));
    for (const url of new Set(sessions)) await until(async () =>
      (await fetch(/** @type {string} */ (url))).status === 404);
    assert.ok(!(await page.evaluate(() => [...document.querySelectorAll('video')].length)), 'a camera is shown');
    await page.close();
  });

  test('says what to open when packets do not get there', async () => {
    const nowhere = await freePort();
    const front = await serve(async (body, response) => {
      const answer = await fetch(`${base}/whip`, { method: 'POST', headers: { 'Content-Type': 'application/sdp' },
        body });
      const sdp = (await answer.text()).replace(/^(a=candidate:\S+ \d+ udp \d+ \S+) \d+/gm, `$1 ${nowhere}`)
        .replace(/^a=candidate:\S+ \d+ tcp .*\r\n/gm, '');
      response.writeHead(answer.status, { 'Content-Type': 'application/sdp', Location: answer.headers.get('Location')
        ?? '', ETag: '"1"' }).end(sdp);
      await fetch(new URL(answer.headers.get('Location') ?? '', base), { method: 'DELETE' });
    });
    try {
      const { page, checks, verdict } = await tested(`${front.url}selftest.html`, { phone: true, dark: true });
      assert.match(checks[1],
        new RegExp(`No connection. Tried 127\\.0\\.0\\.1:${nowhere} \\(UDP\\); \\d+ packets asked, 0 were answered`));
      assert.match(verdict, new RegExp(`No way works.*let UDP port ${nowhere} in`));
      await screenshot(page, 'selftest-fails-phone-dark', { fullPage: true });
      await page.close();
    } finally {
      await front.close();
    }
  });

  test('says how it works all the same when UDP is stopped', async () => {
    const nowhere = await freePort();
    const front = await serve(async (body, response) => {
      const answer = await fetch(`${base}/whip`, { method: 'POST', headers: { 'Content-Type': 'application/sdp' },
        body });
      const sdp = (await answer.text()).replace(/^(a=candidate:\S+ \d+ udp \d+ \S+) \d+/gm, `$1 ${nowhere}`);
      response.writeHead(answer.status, { 'Content-Type': 'application/sdp', Location: answer.headers.get('Location')
        ?? '', ETag: '"1"' }).end(sdp);
    });
    try {
      const { page, checks, verdict } = await tested(`${front.url}selftest.html`);
      assert.match(checks[1], /No connection/);
      assert.match(checks[2], /Connected in/);
      assert.match(verdict, new RegExp(`It works, by TCP.*let UDP port ${nowhere} in`));
      await screenshot(page, 'selftest-tcp-desk-light', { fullPage: true });
      await page.close();
    } finally {
      await front.close();
    }
  });

  test('says so when the server is full', async () => {
    const front = await serve((_, response) => {
      response.writeHead(503, { 'Content-Type': 'application/problem+json', 'Retry-After': '9' }).end(
        JSON.stringify({ detail: 'all places are taken' }));
    });
    try {
      const { page, checks, verdict } = await tested(`${front.url}selftest.html`, { dark: true });
      assert.equal(checks.length, 2);
      assert.match(verdict, /could not begin.*full.*all places are taken/);
      await screenshot(page, 'selftest-full-desk-dark', { fullPage: true });
      await page.close();
    } finally {
      await front.close();
    }
  });

  test('asks for a token where the server does', async () => {
    const port = await freePort();
    const url = `http://localhost:${port}`;
    const token = 'a-token-that-is-long-enough-to-be-one';
    process.env.MINDFLOW_TOKEN = token;
    let guarded;
    try {
      guarded = await startServer(binary, ['serve', '--listen', `127.0.0.1:${port}`, '--media',
        `127.0.0.1:${await freePort()}`], url);
    } finally {
      delete process.env.MINDFLOW_TOKEN;
    }
    try {
      const { page, verdict } = await tested(`${url}/selftest`);
      assert.match(verdict, /asks for a token/);
      await page.type('#token-text', token);
      await screenshot(page, 'selftest-token-desk-light', { fullPage: true });
      await page.keyboard.press('Enter');
      // Whether it connects is another test's: a busy machine may be too slow for it.
      await page.waitForFunction(() => /^(?!.*token)./.test(document.getElementById('verdict')?.textContent ?? ''),
        { timeout: 90_000 });
      assert.match((await page.$$eval('#checks li', (all) => all.map((el) => el.textContent ?? '')))[1],
        /Connected|Tried/);
      assert.ok(!(await page.$eval('#report pre', (el) => el.textContent ?? '')).includes(token),
        'the report tells the token');
      await page.close();
    } finally {
      await guarded.stop();
    }
  });

  test('fingers and those who listen find everything', async () => {
    const page = await openPage(browser, `${base}/selftest`, { phone: true });
    await screenshot(page, 'selftest-phone-light', { fullPage: true });
    const small = await page.$$eval('a, button, summary', (all) => all
      .filter((el) => el.getClientRects().length > 0 && el.getBoundingClientRect().height < 44)
        .map((el) => el.textContent));
    assert.deepEqual(small, []);
    assert.equal(await page.$eval('#verdict', (el) => el.getAttribute('aria-live')), 'polite');
    assert.equal(await page.$$eval('h1', (all) => all.length), 1);
    await page.close();
  });
});
