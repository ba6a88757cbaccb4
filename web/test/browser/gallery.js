// Takes the pictures of docs/gallery.md, against the real server: node web/test/browser/gallery.js PORTRAIT The
// portrait is seen by everybody who reads the docs, so it has to be one that may be shown: ours is NASA's of Eileen
// Collins, public domain.

import { execFile } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { freePort, launch, makeCamera, openPage, press, startServer, waitInside, waitLabels,
  waitState } from './driver.js';
import { sheet, studio } from './gallery-states.js';
import { root } from './truth.js';

const [portrait] = process.argv.slice(2);
if (!portrait) throw new Error('name a portrait that may be shown: node web/test/browser/gallery.js PORTRAIT');
const folder = path.join(root, 'docs/images');
const work = path.join(root, '.cache/gallery');
mkdirSync(work, { recursive: true });
const ffmpeg = (/** @type {string[]} */ ...args) => promisify(execFile)('ffmpeg', ['-v', 'error', '-y', ...args]);
const png = (/** @type {string} */ name) => /** @type {`${string}.png`} */ (path.join(work, `${name}.png`));

/**
 * Makes a picture small enough for the repository.
 * @param {string} name
 * @param {string} [scale] of ffmpeg's filter
 * @param {number} [quality]
 */
const keep = (name, scale = 'null', quality = 64) =>
  ffmpeg('-i', png(name), '-vf', scale, '-c:v', 'libwebp', '-quality', String(quality), '-compression_level', '6',
  path.join(folder, `${name}.webp`));

const five = path.join(work, 'five.png');
await ffmpeg('-loop', '1', '-i', portrait, '-vf', 'scale=480:480,crop=426:480:20:0,tile=3x2:nb_frames=5', '-frames:v',
  '1', five);
const cameras = {
  one: await makeCamera(portrait, { width: 640, height: 480, fps: 30, seconds: 2 }),
  five: await makeCamera(five, { width: 1280, height: 960, fps: 30, seconds: 2 }),
};

/** @type {[string, import('./driver.js').Look][]} */
const LOOKS = [['desk-light', {}], ['desk-dark', { dark: true }], ['phone-light', { phone: true }],
  ['phone-dark', { phone: true, dark: true }]];

const [port, media] = [await freePort(), await freePort()];
const base = `http://localhost:${port}`;
const server = await startServer(path.join(root, 'bin/mindflow'),
  ['serve', '--listen', `127.0.0.1:${port}`, '--media', `:${media}`], base);

/**
 * Takes a picture.
 * @param {string} name
 * @param {{camera?: 'one' | 'five', look?: import('./driver.js').Look, labels?: number, lang?: string, before?: (page:
 *   import('puppeteer-core').Page) => Promise<unknown>, act?: (page: import('puppeteer-core').Page) =>
 *   Promise<unknown>}} how
 */
async function take(name, { camera = 'one', look = {}, labels = 0, lang = 'en', before = async () => {},
    act = async () => {} }) {
  const browser = await launch({ camera: cameras[camera], flags: [`--accept-lang=${lang}`] });
  try {
    const page = await openPage(browser, base, look);
    await waitInside(page, '.card-button');
    await before(page);
    if (labels) {
      await press(page, '.card-button');
      await waitState(page, 'live');
      await waitLabels(page, labels, 60_000);
    }
    await act(page);
    await page.screenshot({ path: png(name) });
    await keep(name, look.phone ? 'scale=-1:1200' : 'scale=1120:-1');
  } finally {
    await browser.close();
  }
}

/** All states without a picture, on two; and pages in some of them. */
async function contactSheets() {
  const scenes = await studio('en', cameras.one);
  const all = await scenes.all();
  for (const name of ['waiting', 'lost']) {
    for (const [suffix, look] of LOOKS) {
      await scenes.play(name, look, async (page) => { await page.screenshot({ path: png(`${name}-${suffix}`) }); });
      await keep(`${name}-${suffix}`, look.phone ? 'scale=-1:900' : 'scale=900:-1', 40);
    }
  }
  await scenes.close();
  const browser = await launch();
  try {
    const page = await browser.newPage();
    await page.setViewport({ width: 1240, height: 800 });
    for (const [name, failed] of /** @type {const} */ ([['states', false], ['failures', true]])) {
      await page.setContent(sheet(all.filter((one) => one.failed === failed)));
      await page.screenshot({ path: png(name), fullPage: true });
      await keep(name, 'scale=820:-1');
    }
  } finally {
    await browser.close();
  }
}

try {
  await take('idle-desk', {});
  await take('idle-phone', { look: { phone: true, dark: true } });
  for (const [name, look] of LOOKS) {
    await take(`one-${name}`, { look, labels: 240 });
    await take(`five-${name}`, { look, labels: 120, camera: 'five' });
  }
  await take('live-french', { look: { dark: true }, labels: 120, lang: 'fr' });
  await take('attention', { labels: 20, act: async (page) => {
    await page.$eval('mindflow-live', (el) => el.setAttribute('attention', 'mean'));
    await waitLabels(page, 60);
  } });
  await take('rtl-phone', { look: { phone: true }, labels: 120,
    before: (page) => page.evaluate(() => { document.documentElement.dir = 'rtl'; }) });
  await contactSheets();
  await ffmpeg('-i', png('one-desk-light'), '-i', png('one-phone-dark'), '-filter_complex',
    '[1]scale=-1:860[p];[0][p]hstack=inputs=2', png('page'));
  await keep('page');
} finally {
  await server.stop();
}
