// Pages with strict policies, and files that the browser cannot read.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { CHROMIUM, freePort, text, launch, openPage, press, startServer, until, waitLabels,
  waitState } from './driver.js';
import { root } from './truth.js';

const skip = !existsSync(CHROMIUM) ? `no Chromium at ${CHROMIUM}; set CHROMIUM`
  : !existsSync(path.join(root, 'bin/mindflow')) ? 'no bin/mindflow; run make build' : false;

describe('strict pages', { skip, timeout: 300_000 }, () => {
  let base = '';
  let around = '';
  /** @type {import('node:http').Server} of the pages around the element */
  let pages;
  /** @type {Awaited<ReturnType<typeof startServer>>} */
  let server;
  /** @type {import('puppeteer-core').Browser} */
  let browser;

  const frame = (/** @type {string} */ attributes) => `<iframe src="${base}/embed" ${attributes}></iframe>`;
  const element = () => `<script type="module" src="${base}/mindflow.js"></script>`
    + `<mindflow-live src="${base}"></mindflow-live>`;
  /** @type {Record<string, {headers?: Record<string, string>, body: () => string}>} */
  const PAGES = {
    '/isolated': { headers: { 'Cross-Origin-Embedder-Policy': 'require-corp',
      'Cross-Origin-Opener-Policy': 'same-origin' }, body: () => frame('allow="camera"') },
    '/trusted': { headers: { 'Content-Security-Policy': "require-trusted-types-for 'script'" }, body: element },
    '/sandboxed': { body: () => frame('sandbox="allow-scripts" allow="camera"') },
    '/undelegated': { body: () => frame('') },
    '/scriptless': { body: () => frame('sandbox=""') },
    '/forbidden': { headers: { 'Permissions-Policy': 'camera=(self)' }, body: () => frame('allow="camera"') },
    '/without': { headers: { 'Permissions-Policy': 'camera=()' }, body: element },
  };

  before(async () => {
    base = `http://localhost:${await freePort()}`;
    pages = createServer((req, res) => {
      const { headers = {}, body } = PAGES[req.url ?? ''] ?? { body: () => '' };
      res.writeHead(200, { 'Content-Type': 'text/html', ...headers });
      res.end(`<!doctype html>${body()}`);
    }).listen(0, '127.0.0.1');
    await once(pages, 'listening');
    around = `http://127.0.0.1:${/** @type {import('node:net').AddressInfo} */ (pages.address()).port}`;
    const listen = new URL(base).host.replace('localhost', '127.0.0.1');
    server = await startServer(path.join(root, 'bin/mindflow'),
      ['serve', '--listen', listen, '--media', `:${await freePort()}`, '--allow-origin', around], base);
    browser = await launch({ count: 1 });
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
    pages?.close();
  });

  /**
   * The frame of a page, once the element in it is there. @param {import('puppeteer-core').Page} page */
  async function inner(page) {
    await until(() => page.frames().length === 2 && page.frames()[1].url().endsWith('/embed'));
    const found = page.frames()[1];
    await found.waitForFunction(() => document.querySelector('mindflow-live')?.shadowRoot
      ?.querySelector('.card-button'));
    return found;
  }

  /** @param {import('puppeteer-core').Frame} where @param {string} selector */
  const textOf = (where, selector) => where.evaluate((s) => document.querySelector('mindflow-live')?.shadowRoot
    ?.querySelector(s)?.textContent, selector);

  test('an isolated page shows the frame /embed, and the camera gets labels', async () => {
    const page = await openPage(browser, `${around}/isolated`);
    assert.equal(await page.evaluate(() => crossOriginIsolated), true);
    const embedded = await inner(page);
    await embedded.locator('mindflow-live >>> .card-button').click();
    await embedded.waitForFunction(() => /** @type {any} */ (window).seen.labels.length >= 3);
    await page.close();
  });

  test('a page that requires Trusted Types has the element, exact timing and labels', async () => {
    const page = await openPage(browser, `${around}/trusted`);
    await page.$eval('mindflow-live', (el) => { el.setAttribute('timing', 'exact'); });
    await press(page, '.card-button');
    await waitState(page, 'live');
    await waitLabels(page, 3);
    await page.close();
  });

  const both = () => `allow="camera" · Permissions-Policy: camera=(self "${base}")`;
  for (const [address, missing] of /** @type {[string, () => string][]} */ ([
    ['/sandboxed', () => 'sandbox="allow-scripts allow-same-origin"'], ['/undelegated', both], ['/forbidden', both],
  ])) {
    test(`${address}: the author of the page reads what the frame lacks`, async () => {
      const page = await openPage(browser, around + address);
      const embedded = await inner(page);
      await embedded.locator('mindflow-live >>> .card-button').click();
      await embedded.waitForFunction(() => /** @type {any} */ (window).seen.errors.length > 0);
      assert.equal(await textOf(embedded, '.card-title'), 'This page cannot use the camera');
      assert.equal(await textOf(embedded, '.card-detail'), missing());
      await page.close();
    });
  }

  test('a frame without scripts says so', async () => {
    const page = await openPage(browser, `${around}/scriptless`);
    await until(() => page.frames().length === 2 && page.frames()[1].url().endsWith('/embed'));
    const { width = 0, height = 0 } = await (await page.$('iframe'))?.boundingBox() ?? {};
    assert.ok(width > 200 && height > 100);
    await until(async () => (await painted(page)) > 500);
    await page.close();
  });

  /**
   * How many pixels of the frame differ from its background: of a frame without scripts nothing else can be asked.
   * @param {import('puppeteer-core').Page} page
   */
  async function painted(page) {
    const shot = await (await page.$('iframe'))?.screenshot({ encoding: 'base64' });
    return page.evaluate(async (data) => {
      const picture = await createImageBitmap(await (await fetch(`data:image/png;base64,${data}`)).blob());
      const ctx = new OffscreenCanvas(picture.width, picture.height).getContext('2d');
      ctx?.drawImage(picture, 0, 0);
      const inside = ctx?.getImageData(4, 4, picture.width - 8, picture.height - 8).data ?? [];
      let dark = 0;
      for (let i = 0; i < inside.length; i += 4) if (inside[i] < 128) dark++;
      return dark;
    }, String(shot));
  }

  test('a page whose policy forbids the camera says so, and not the visitor’s settings', async () => {
    const page = await openPage(browser, `${around}/without`);
    await press(page, '.card-button');
    await waitState(page, 'failed', 'policy');
    assert.equal(await text(page, '.card-detail'), 'Permissions-Policy: camera=(self)');
    await page.close();
  });

  test('a file that the browser cannot read is named, with what to convert it to', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'mindflow-formats-'));
    const made = (/** @type {string} */ name, /** @type {string[]} */ ...codec) => {
      execFileSync('ffmpeg', ['-v', 'error', '-f', 'lavfi', '-i', 'testsrc=size=64x64:duration=0.2', ...codec,
        path.join(folder, name)]);
      return name;
    };
    const written = (/** @type {string} */ name, /** @type {string} */ bytes) => {
      writeFileSync(path.join(folder, name), Buffer.from(bytes, 'latin1'));
      return name;
    };
    const cases = [
      [written('photo.heic', '\0\0\0\x18ftypheic\0\0\0\0mif1heic'), 'format', 'HEIC · photo.heic'],
      [made('phone.mp4', '-c:v', 'libx265', '-tag:v', 'hvc1', '-x265-params', 'log-level=none'), 'format',
        'HEVC (H.265) · phone.mp4'],
      [made('cut.mov', '-c:v', 'prores_ks'), 'format', 'ProRes · cut.mov'],
      [made('old.avi', '-c:v', 'mpeg4'), 'format', 'AVI · old.avi'],
      [made('scan.tiff', '-frames:v', '1'), 'format', 'TIFF · scan.tiff'],
      [written('torn.jpg', '\xff\xd8\xff\xe0'), 'format', 'JPEG · torn.jpg'],
      [written('notes.txt', 'no picture'), 'source', undefined],
    ];
    const page = await openPage(browser, base);
    for (const [name, reason, detail] of cases) {
      const input = await page.waitForSelector('mindflow-live >>> .card-file input');
      await /** @type {import('puppeteer-core').ElementHandle<HTMLInputElement>} */ (input).uploadFile(
        path.join(folder, String(name)));
      await page.waitForFunction((want) => /** @type {any} */ (window).seen.errors.length === want,
        {}, cases.findIndex(([n]) => n === name) + 1);
      await waitState(page, 'failed', reason);
      if (detail) assert.equal(await text(page, '.card-detail'), detail);
    }
    assert.match(await text(page, '.card-cause'), /neither a picture nor a video/);
    await page.close();
  });
});
