// Two models on one real server: the shipped one, and a user's whose labels have other names.

import assert from 'node:assert/strict';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { CHROMIUM, freePort, launch, makeCamera, MEDIA, openPage, press, screenshot, seen, startServer, waitInside,
  waitState } from './driver.js';

const root = path.join(import.meta.dirname, '../../..');
const ours = path.join(MEDIA, 'astronaut.png');
const picture = existsSync(ours) ? ours : path.join(root, 'node_modules/@vladmandic/face-api/demo/sample6.jpg');
const skip = !existsSync(CHROMIUM) ? `no Chromium at ${CHROMIUM}; set CHROMIUM`
  : !existsSync(path.join(root, 'bin/mindflow')) ? 'no bin/mindflow; run make build'
    : !existsSync(picture) ? `no ${picture}; run make test` : false;

/** The names that the user's model has for the labels of the shipped one. */
const RENAMED = ['calm', 'joyful', 'gloomy', 'astonished', 'afraid', 'repelled', 'cross', 'scornful'];

describe('models', { skip, timeout: 360_000 }, () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'mindflow-models-'));
  /** @type {import('puppeteer-core').Browser} */
  let browser;
  /** @type {Awaited<ReturnType<typeof startServer>>} */
  let server;
  let base = '';

  before(async () => {
    const { models } = JSON.parse(readFileSync(path.join(root, 'models/manifest.json'), 'utf8'));
    const shipped = models.find((/** @type {{name: string}} */ m) => m.name === 'dan-ferplus');
    copyFileSync(path.join(root, 'bin/models', shipped.file), path.join(folder, 'renamed.onnx'));
    writeFileSync(path.join(folder, 'renamed.json'),
      JSON.stringify({ ...shipped, name: 'renamed', file: 'renamed.onnx', labels: RENAMED }));
    const [port, media] = [await freePort(), await freePort()];
    base = `http://localhost:${port}`;
    const args = ['serve', '--listen', `127.0.0.1:${port}`, '--media', `:${media}`, '--models', folder, '--model',
      'dan-ferplus', '--model', 'renamed'];
    server = await startServer(path.join(root, 'bin/mindflow'), args, base);
    browser = await launch({ camera: await makeCamera(picture, { width: 640, height: 480, seconds: 4 }) });
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
    rmSync(folder, { recursive: true });
  });

  for (const [name, look] of /** @type {[string, import('./driver.js').Look][]} */ (
      [['desk', {}], ['phone-dark', { phone: true, dark: true }]])) {
    test(`a session changes its model and shows where it looks, ${name}`, async () => {
      const page = await openPage(browser, base, look);
      await press(page, '.card-button');
      await waitState(page, 'live');
      await page.waitForFunction(() => /** @type {any} */ (window).seen.labels.at(-1)?.faces.length > 0);
      const [before] = (await seen(page, 'labels')).at(-1)?.faces ?? [];
      await page.locator('mindflow-live >>> .attention select').fill('mean');
      await page.waitForFunction(() => /** @type {any} */ (window).seen.labels.at(-1)?.faces[0]?.attention);
      await waitInside(page, '.attention option[value="4"]');
      await screenshot(page, `attention-${name}`);
      await page.locator('mindflow-live >>> .model select').fill('renamed');
      await page.waitForFunction(() => /** @type {any} */ (window).seen.labels.at(-1)?.model === 'renamed');
      await waitInside(page, '.bars li:nth-child(2) .name', 'Joyful');

      const messages = await seen(page, 'labels');
      const labels = { 'dan-ferplus': ['neutral', 'happy', 'sad', 'surprise', 'fear', 'disgust', 'anger', 'contempt'],
        renamed: RENAMED };
      for (const { model, faces } of messages) {
        for (const face of faces) assert.ok(labels[/** @type {keyof labels} */ (model)].includes(face.label),
          `${model} says ${face.label}`);
      }
      const first = messages.find((m) => m.model === 'renamed');
      assert.ok(first?.faces.some((f) => f.id === before.id), 'faces got new ids');
      const seq = messages.map((m) => m.seq);
      assert.deepEqual(seq, [...seq].sort((a, b) => a - b));
      assert.deepEqual(await seen(page, 'errors'), []);
      await page.goto('about:blank'); // ends the session
      await page.close();
    });
  }

  test('a model that is not offered is refused in words', async () => {
    const page = await openPage(browser, base);
    await page.$eval('mindflow-live', (el) => el.setAttribute('model', 'dan-2'));
    await press(page, '.card-button');
    await waitState(page, 'failed', 'refused');
    await waitInside(page, '.card-detail',
      'no model offered here is called "dan-2"; choose one of: dan-ferplus, renamed');
    await page.close();
  });
});
