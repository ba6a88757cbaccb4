// Pictures that are no camera's, and what is taken along: files that are dropped, a <video> of the page's, downloads;
// against the real server.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { CHROMIUM, PATIENCE, freePort, launch, openPage, press, screenshot, seen, startServer, until, waitInside,
  waitLabels, waitState } from './driver.js';
import { countLeftovers, left } from './leftovers.js';
import { aClip, root } from './truth.js';

const binary = path.join(root, 'bin/mindflow');
const skip = !existsSync(CHROMIUM) ? `no Chromium at ${CHROMIUM}; set CHROMIUM` : !existsSync(binary)
  ? 'no bin/mindflow; run make build' : false;

/** @typedef {import('../../live/element.js').MindflowLive} MindflowLive */

describe('files', { skip, timeout: 540_000 }, () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'mindflow-files-'));
  const film = path.join(folder, 'film.webm');
  const photo = path.join(root, 'node_modules/@vladmandic/face-api/demo/sample1.jpg');
  /** @type {string} */
  let base;
  /** @type {Awaited<ReturnType<typeof startServer>>} */
  let server;
  /** @type {import('puppeteer-core').Browser} */
  let browser;

  before(async () => {
    const [port, media] = [await freePort(), await freePort()];
    base = `http://localhost:${port}`;
    await promisify(execFile)('ffmpeg', ['-v', 'error', '-y', '-i', await aClip(), '-t', '2', '-an', '-c:v', 'libvpx',
      '-deadline', 'realtime', '-b:v', '1M', film]);
    server = await startServer(binary, ['serve', '--listen', `127.0.0.1:${port}`, '--media', `:${media}`], base);
    browser = await launch(); // without a camera: none is needed
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
    rmSync(folder, { recursive: true });
  });

  const open = async () => {
    const page = await openPage(browser, base, {}, countLeftovers);
    await waitInside(page, '.card-button');
    return page;
  };

  /**
   * Drops a file as a hand does.
   * @param {import('puppeteer-core').Page} page
   * @param {string} file
   * @param {string} [shot] taken while it hovers
   */
  async function drop(page, file, shot) {
    const box = await page.$eval('mindflow-live >>> .stage', (el) => el.getBoundingClientRect().toJSON());
    const devtools = await page.createCDPSession();
    const at = { x: box.x + box.width / 2, y: box.y + box.height / 3,
      data: { items: [], files: [file], dragOperationsMask: 1 } };
    for (const type of /** @type {const} */ (['dragEnter', 'dragOver', 'drop'])) {
      if (type === 'drop') await waitInside(page, '.drop:not([hidden])');
      if (type === 'drop' && shot) await screenshot(page, shot);
      await devtools.send('Input.dispatchDragEvent', { type, ...at });
    }
    await devtools.detach();
  }

  const aFace = (/** @type {import('puppeteer-core').Page} */ page) =>
    page.waitForFunction(() => /** @type {any} */ (window).seen.labels
      .some((/** @type {any} */ m) => m.faces.length > 0), { timeout: PATIENCE });

  test('a video that is dropped is read over and over, and what was seen is taken along', async () => {
    const page = await open();
    await drop(page, film, 'drop');
    await waitState(page, 'live');
    await aFace(page);
    await waitLabels(page, 20);
    assert.equal(await page.$eval('mindflow-live >>> video',
      (v) => `${/** @type {HTMLVideoElement} */ (v).videoWidth > 0}`), 'true');
    await press(page, '.stop');
    await waitState(page, 'stopped');
    await page.locator('mindflow-live >>> .session summary').click();
    await waitInside(page, '.session-body:not([hidden])');

    const devtools = await browser.target().createCDPSession();
    await devtools.send('Browser.setDownloadBehavior', { behavior: 'allow', downloadPath: folder });
    /** Presses a button of the session's and gives the file. @param {string} kind @returns {Promise<Buffer>} */
    const take = async (kind) => {
      await press(page, `.${kind}`);
      const found = () => readdirSync(folder).find((name) =>
        new RegExp(`^mindflow-\\d{4}-\\d\\d-\\d\\dT\\d{6}\\.${kind}$`).test(name));
      await until(() => found() !== undefined);
      return readFileSync(path.join(folder, found() ?? ''));
    };
    const rows = (await take('csv')).toString().trim().split('\n').map((line) => line.split(','));
    assert.deepEqual(rows[0],
      't,frame,face,x,y,w,h,label,confidence,neutral,happy,sad,surprise,fear,disgust,anger,contempt'.split(','));
    assert.ok(rows.length > 3, `${rows.length} rows`);
    for (const row of rows.slice(1)) {
      assert.equal(row.length, rows[0].length);
      const scores = row.slice(9).map(Number);
      assert.ok(Math.abs(scores.reduce((a, b) => a + b) - 1) < 0.02, String(row));
      assert.equal(Number(row[8]), Math.max(...scores));
    }
    const { v, labels, model, summary, rows: told } = JSON.parse((await take('json')).toString());
    assert.deepEqual([v, labels, told.length], [1, rows[0].slice(9), rows.length - 1]);
    assert.notEqual(model, '');
    assert.deepEqual(told.map((/** @type {any} */ r) => r.label), rows.slice(1).map((r) => r[7]));
    assert.ok(summary.seconds > 0);

    const png = await take('png');
    assert.deepEqual([...png.subarray(0, 4)], [0x89, 0x50, 0x4e, 0x47]);
    const { size, colours } = await page.evaluate(async (data) => {
      const picture = await createImageBitmap(new Blob([Uint8Array.from(atob(data), (c) => c.charCodeAt(0))]));
      const canvas = new OffscreenCanvas(picture.width, picture.height);
      const ctx = /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext('2d'));
      ctx.drawImage(picture, 0, 0);
      const pixels = new Uint32Array(ctx.getImageData(0, 0, picture.width, picture.height).data.buffer);
      return { size: [picture.width, picture.height], colours: new Set(pixels).size };
    }, png.toString('base64'));
    assert.ok(size[0] > 600 && size[1] > 100 && colours > 20, `${size}, ${colours} colours`); // axes, words and curves
    assert.deepEqual(await seen(page, 'errors'), []);
    await page.evaluate(() => document.querySelector('mindflow-live')?.remove());
    await left(page, ['submit on HTMLFormElement']); // the page’s own
    await page.close();
  });

  test('a picture that is dropped, and one that takes its place', async () => {
    const page = await open();
    await drop(page, photo);
    await waitState(page, 'live');
    await aFace(page);
    await drop(page, film);
    await page.waitForFunction(() => /** @type {any} */ (window).seen.labels
      .some((/** @type {any} */ m) => m.width !== /** @type {any} */ (window).seen.labels[0].width));
    await page.evaluate(() => document.querySelector('mindflow-live')?.remove());
    await left(page, ['submit on HTMLFormElement']); // the page’s own
    assert.deepEqual(await seen(page, 'errors'), []);
    await page.close();
  });

  test('a file that is no picture is refused in words', async () => {
    const page = await open();
    await drop(page, path.join(root, 'README.md'));
    await waitState(page, 'failed', 'source');
    await waitInside(page, '.card-title', 'This picture cannot be used');
    await page.close();
  });

  test('a <video> that the page plays is read, and stays the page’s', async () => {
    const page = await open();
    await page.evaluate(async (data) => {
      const video = document.createElement('video');
      Object.assign(video, { id: 'film', muted: true, loop: true,
        src: URL.createObjectURL(new Blob([Uint8Array.from(atob(data), (c) => c.charCodeAt(0))])) });
      document.body.append(video);
      await video.play();
      /** @type {any} */ (window).leftovers.own();
      const live = /** @type {MindflowLive} */ (document.querySelector('mindflow-live'));
      live.srcObject = video;
      await live.start();
    }, readFileSync(film).toString('base64'));
    await waitState(page, 'live');
    await aFace(page);
    // as it is no mirror's picture
    assert.equal(await page.$eval('mindflow-live', (el) => /** @type {MindflowLive} */ (el).mirror), false);
    await page.evaluate(() => document.querySelector('mindflow-live')?.remove());
    await until(async () =>
      !(await page.evaluate(() => /** @type {any} */ (window).leftovers()
      .some((/** @type {string} */ what) => /track|Connection|VideoFrame/.test(what)))));
    assert.equal(await page.$eval('#film', (v) => /** @type {HTMLVideoElement} */ (v).paused), false);
    await page.close();
  });
});
