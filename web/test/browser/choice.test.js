// Choosing a model and seeing where it looks, against a stand-in that can be told what to say.

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { CHROMIUM, launch, makeCamera, openPage, press, screenshot, seen, until, waitInside, waitLabels,
  waitState } from './driver.js';
import { peer, refuse, serve } from './standin.js';

const skip = existsSync(CHROMIUM) ? false : `no Chromium at ${CHROMIUM}; set CHROMIUM`;
const golden = (/** @type {string} */ name) => JSON.parse(
  readFileSync(new URL(`../../testdata/wire/${name}.json`, import.meta.url), 'utf8'));

const wide = Array.from({ length: 64 }, (_, i) => `expression_number_${i + 1}`);
const hello = golden('control-hello');
hello.models.push({ name: 'sixty-four', labels: wide, uncertain: 0.1 });

/** @param {string} model @param {number} classes @param {number} top its index */
function labelsOf(model, classes, top) {
  const message = golden('labels-one-face');
  const face = message.faces[0];
  const { labels } = hello.models.find((/** @type {{name: string}} */ m) => m.name === model);
  face.scores = Array.from({ length: classes }, (_, i) => (i === top ? 0.6 : 0.4 / (classes - 1)));
  return { ...message, model, faces: [{ ...face, label: labels[top], confidence: 0.6 }] };
}

describe('choice', { skip, timeout: 360_000 }, () => {
  /** @type {import('puppeteer-core').Browser} */
  let browser;
  /** @type {Awaited<ReturnType<typeof serve>>} */
  let server;
  /** @type {Awaited<ReturnType<typeof peer>>} */
  let other;
  /** @type {string[]} the addresses of the POSTs */
  const posts = [];
  let seq = 0;

  before(async () => {
    browser = await launch({ camera: await makeCamera('testsrc'),
      flags: ['--disable-features=WebRtcHideLocalIpsWithMdns'] });
    server = await serve(refuse(500, 'not set'));
    other = await peer(browser);
    server.handler.whip = (body, response) => {
      posts.push(response.req.url ?? '');
      return other.whip(body, response);
    };
  });
  after(async () => {
    await browser?.close();
    await server?.close();
  });

  /** @param {import('./driver.js').Look} [look] @param {Record<string, string>} [attributes] */
  async function live(look, attributes = {}) {
    const page = await openPage(browser, server.url, look);
    for (const [name, value] of Object.entries(attributes)) {
      await page.$eval('mindflow-live', (el, n, v) => el.setAttribute(n, v), name, value);
    }
    await press(page, '.card-button');
    await waitState(page, 'live');
    return page;
  }

  const sayHello = () => other.send('control', JSON.stringify(hello));
  /** @param {object} message @param {number} count so often, as one may be lost */
  async function send(message, count = 5) {
    for (let i = 0; i < count; i++) await other.send('labels', JSON.stringify({ ...message, seq: ++seq }));
  }
  /** @param {import('puppeteer-core').Page} page @returns {Promise<string[]>} */
  const bars = (page) => page.$$eval('mindflow-live >>> .bars li', (rows) => rows.map((row) => row.textContent ?? ''));

  test('scores are drawn with the labels of the model that gave them, whatever comes first', async () => {
    const page = await live();
    await send(labelsOf('dan-rafdb', 7, 3)); // before hello: nobody knows what the numbers are
    await waitInside(page, '.reading-label', 'Happy'); // the face's own label is told in words
    assert.ok((await bars(page)).every((row) => row.endsWith('–')), 'scores of unknown labels are drawn');
    await sayHello();
    await page.waitForFunction(() => {
      const field = document.querySelector('mindflow-live')?.shadowRoot?.querySelector('.model');
      return field instanceof HTMLElement && !field.hidden;
    });
    await send(labelsOf('dan-ferplus', 8, 1));
    await until(async () => (await bars(page)).length === 8); // those of before were happy too, of seven labels
    await waitInside(page, '.bars .top', 'Happy60%');
    await send(labelsOf('dan-rafdb', 7, 0)); // before the answer to any change
    await waitInside(page, '.bars .top', 'Surprise60%');
    assert.deepEqual((await bars(page)).map((row) => row.replace(/\d+%$/, '')),
      ['Surprise', 'Fear', 'Disgust', 'Happy', 'Sad', 'Anger', 'Neutral']);
    const picked = () => page.$eval('mindflow-live >>> .model select',
      (el) => /** @type {HTMLSelectElement} */ (el).value);
    await until(async () => (await picked()) === 'dan-rafdb'); // it shows what is in use
    assert.deepEqual(await seen(page, 'errors'), []);
    await page.close();
  });

  test('the picker asks for the model, and a new session begins with it', async () => {
    const page = await live();
    await sayHello();
    await waitInside(page, '.model select');
    await page.locator('mindflow-live >>> .model select').fill('dan-rafdb');
    await until(async () => (await other.requests()).length === 1);
    const [request] = await other.requests();
    assert.deepEqual(request, { v: 1, type: 'options', id: request.id, model: 'dan-rafdb' });
    assert.equal(await page.$eval('mindflow-live', (el) => el.getAttribute('model')), 'dan-rafdb');
    await press(page, '.stop');
    await waitState(page, 'stopped');
    await press(page, '.card-button');
    await waitState(page, 'live');
    assert.equal(posts.at(-1), '/whip?model=dan-rafdb');
    await page.close();
  });

  for (const [name, look] of /** @type {[string, import('./driver.js').Look][]} */ (
      [['desk', {}], ['phone-dark', { phone: true, dark: true }]])) {
    test(`sixty-four labels have room, ${name}`, async () => {
      const page = await live(look);
      await sayHello();
      await send(labelsOf('sixty-four', 64, 40), 20);
      await waitInside(page, '.bars .top', 'Expression number 4160%');
      assert.equal((await bars(page)).length, 64);
      assert.equal(await page.$eval('mindflow-live >>> .bars .top', (row) => {
        const [list, own] = [/** @type {Element} */ (row.parentElement), row].map((el) => el.getBoundingClientRect());
        return own.top >= list.top && own.bottom <= list.bottom;
      }), true, 'the longest bar is out of sight');
      const colours = await page.$$eval('mindflow-live >>> .bars .fill',
        (fills) => fills.map((f) => /** @type {HTMLElement} */ (f).style.backgroundColor));
      assert.equal(new Set(colours).size, 64);
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true,
        'it scrolls sideways');
      assert.ok(await page.$eval('mindflow-live >>> .panel', (el) => el.getBoundingClientRect().height < 1000),
        'the panel is as long as its list');
      await screenshot(page, `labels-64-${name}`);
      await page.close();
    });
  }

  test('attention is asked for when it is shown, and lies over the crop, mirrored as the picture', async () => {
    const page = await live();
    await sayHello();
    const message = golden('labels-attention');
    await send(golden('labels-one-face'));
    await waitInside(page, '.attention:not([hidden])');
    await page.locator('mindflow-live >>> .attention select').fill('mean');
    await until(async () => (await other.requests()).length === 1);
    assert.equal((await other.requests())[0].attention, true);
    await send(message);
    await waitInside(page, '.attention option[value="2"]');
    await page.locator('mindflow-live >>> .attention select').fill('2');
    assert.equal((await other.requests()).length, 1, 'heads are the page’s business');

    /**
     * How opaque the overlay is at a fraction of the map's region.
     * @param {number} x
     * @param {number} y
     * @param {boolean} mirror
     */
    const opacity = (x, y, mirror) => page.$eval('mindflow-live >>> .overlay', (el, fx, fy, flip, region) => {
      const canvas = /** @type {HTMLCanvasElement} */ (el);
      const [left, top, width, height] = region;
      const [px, py] = [left + fx * width, top + fy * height];
      const at = [(flip ? 1 - px : px) * canvas.width, py * canvas.height];
      return canvas.getContext('2d')?.getImageData(at[0], at[1], 1, 1).data[3] ?? -1;
    }, x, y, mirror, message.faces[0].attention.region);
    // Head 2 of the example: 60 in the upper left cell, 255 in the upper right one.
    const drawn = async (/** @type {boolean} */ mirror) => {
      await send(message);
      return (await opacity(0.95, 0.05, mirror)) > 170 && (await opacity(0.05, 0.05, mirror)) < 120;
    };
    await until(() => drawn(true));
    assert.match(await page.$eval('mindflow-live >>> .legend', (el) => el.getAttribute('aria-label') ?? ''),
      /head 2, strongest at the face’s upper left/);
    await press(page, '.mirror');
    await until(() => drawn(false));
    await screenshot(page, 'attention-head-2');
    await page.locator('mindflow-live >>> .attention select').fill('off');
    await until(async () => (await other.requests()).at(-1)?.attention === false);
    await send(golden('labels-one-face'));
    await until(async () => (await opacity(0.5, 0.5, false)) === 0);
    assert.equal(await page.$eval('mindflow-live >>> .legend', (el) => /** @type {HTMLElement} */ (el).hidden), true);
    await page.close();
  });

  test('attributes choose before the start', async () => {
    const page = await live({}, { model: 'dan-rafdb', attention: '2' });
    assert.equal(posts.at(-1), '/whip?model=dan-rafdb');
    await other.send('control', JSON.stringify({ ...hello, model: hello.models[1] }));
    await until(async () => (await other.requests()).length === 1);
    const [request] = await other.requests();
    assert.deepEqual(request, { v: 1, type: 'options', id: request.id, attention: true });
    await send(labelsOf('dan-rafdb', 7, 3));
    await waitLabels(page, 1);
    // This model does not tell where it looks: nothing is offered.
    await waitInside(page, '.attention[hidden]');
    await page.close();
  });
});
