// What everybody needs of the page: an audit by axe-core in each of its states, the keyboard alone, a script from right
// to left, and what it costs.

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { audit } from './axe.js';
import { CHROMIUM, launch, makeCamera, openPage, press, screenshot, text, waitInside, waitState } from './driver.js';
import { peer, refuse, serve } from './standin.js';
import { aClip } from './truth.js';

const skip = existsSync(CHROMIUM) ? false : `no Chromium at ${CHROMIUM}; set CHROMIUM`;
const golden = (/** @type {string} */ name) => JSON.parse(
  readFileSync(new URL(`../../testdata/wire/${name}`, import.meta.url), 'utf8'));

describe('for everyone', { skip, timeout: 1_200_000 }, () => {
  /** @type {import('puppeteer-core').Browser} */
  let browser;
  /** @type {Awaited<ReturnType<typeof serve>>} */
  let server;
  /** @type {Awaited<ReturnType<typeof peer>>} */
  let other;

  before(async () => {
    browser = await launch({ camera: await makeCamera(await aClip(), { width: 640, height: 480, seconds: 5 }),
      flags: ['--disable-features=WebRtcHideLocalIpsWithMdns'] });
    server = await serve(refuse(403, 'this server is for members'));
    other = await peer(browser);
  });
  after(async () => {
    await browser?.close();
    await server?.close();
  });

  /**
   * Sends messages until the work is done.
   * @param {any} message
   * @param {() => Promise<void>} work
   * @param {number} [every] milliseconds
   */
  async function whileSending(message, work, every = 100) {
    let seq = 0;
    const timer = setInterval(() => void other.send('labels',
      JSON.stringify({ ...message, seq: ++seq, rtp: Math.round(90 * performance.now()) })), every);
    try {
      await work();
    } finally {
      clearInterval(timer);
    }
  }

  for (const [name, look] of /** @type {const} */ ([['light', {}], ['dark', { dark: true }]])) {
    test(`axe-core finds nothing, ${name}`, async () => {
      server.handler.whip = refuse(403, 'this server is for members');
      const page = await openPage(browser, server.url, look);
      await waitInside(page, '.card-button');
      await audit(page, 'idle');
      await press(page, '.card-button');
      await waitState(page, 'failed', 'refused');
      await audit(page, 'failed');
      await screenshot(page, `failed-${name}`);
      server.handler.whip = other.whip;
      await press(page, '.card-button');
      await waitState(page, 'live');
      await other.send('control', JSON.stringify(golden('control-hello.json')));
      await whileSending(golden('labels-many.json'), async () => {
        await waitInside(page, '.faces button');
        await page.evaluate(
          () => { for (const d of document.querySelector('mindflow-live')?.shadowRoot?.querySelectorAll('details')
          ?? []) d.open = true; });
        await waitInside(page, '.shares li');
        await audit(page, 'live');
        await screenshot(page, `live-open-${name}`, { fullPage: true });
      });
      await page.close();
    });
  }

  for (const place of ['selftest.html', 'watch.html', 'embed.html']) {
    for (const lang of ['en', 'fr']) {
      test(`axe-core finds nothing at ${place}, which says in which language it is: ${lang}`, async () => {
        const page = await browser.newPage();
        await page.evaluateOnNewDocument((to) => { Object.defineProperty(navigator, 'language', { value: to }); },
          lang);
        await page.goto(server.url + place);
        await page.waitForFunction((to) => document.documentElement.lang === to, {}, lang);
        const english = await page.$$eval('[data-text]',
          (all) => all.map((el) => el.textContent ?? '').filter((s) => /\b(the|your|is|of|what|this)\b/i.test(s)));
        if (lang === 'fr') assert.deepEqual(english, []);
        await audit(page, `${place} ${lang}`);
        await screenshot(page, `${place}-${lang}`);
        await page.close();
      });
    }
  }

  test('the keyboard alone starts, reads the chart and stops', async () => {
    server.handler.whip = other.whip;
    const page = await openPage(browser, server.url);
    await waitInside(page, '.card-button');
    const focused = () =>
      page.evaluate(() => document.querySelector('mindflow-live')?.shadowRoot?.activeElement?.className ?? '');
    const go = async (/** @type {RegExp} */ to) => {
      for (let i = 0; i < 30 && !to.test(await focused()); i++) await page.keyboard.press('Tab');
      assert.match(await focused(), to);
    };
    await go(/card-button/);
    await page.keyboard.press('Enter');
    await waitState(page, 'live');
    await other.send('control', JSON.stringify(golden('control-hello.json')));
    await whileSending(golden('labels-one-face.json'), async () => {
      await waitInside(page, '.reading-label', 'Happy');
      // said once it has stayed
      await page.waitForFunction(() => document.querySelector('mindflow-live')?.shadowRoot?.querySelector(
        '.spoken')?.textContent === 'Happy');
      await go(/strip/);
      await page.keyboard.press('End');
      assert.match(await page.$eval('mindflow-live >>> .strip', (el) => el.getAttribute('aria-valuetext') ?? ''),
        /^0 s ago · Happy 83%/);
      await page.keyboard.press('Home');
      assert.match(await text(page, '.tip'), /^60 s ago · No face/);
      await page.keyboard.press(' ');
      await waitInside(page, '.hold[aria-pressed=true]');
    });
    await page.$eval('mindflow-live >>> .stop', (el) => /** @type {HTMLElement} */ (el).focus());
    await page.keyboard.press('Enter');
    await waitState(page, 'stopped');
    assert.match(await focused(), /card-button/);
    await page.close();
  });

  test('a French visitor finds a French page', async () => {
    const page = await browser.newPage();
    await page.setViewport({ width: 1280, height: 860 });
    await page.evaluateOnNewDocument(() => { Object.defineProperty(navigator, 'language', { value: 'fr-FR' }); });
    await page.goto(server.url);
    await page.waitForFunction(() => document.documentElement.lang === 'fr');
    await waitInside(page, '.card-button', 'Activer la caméra');
    const english = await page.$$eval('[data-text]',
      (all) => all.map((el) => el.textContent ?? '').filter((s) => /\b(the|your|is|of|what)\b/i.test(s)));
    assert.deepEqual(english, []);
    await audit(page, 'French');
    await screenshot(page, 'idle-french', { fullPage: true });
    await page.close();
  });

  test('from right to left nothing overlaps, and charts stay as they are', async () => {
    const page = await openPage(browser, server.url, { phone: true });
    await page.evaluate(() => { document.documentElement.dir = 'rtl'; });
    await waitInside(page, '.card-button');
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true,
      'it scrolls sideways');
    assert.equal(await page.$eval('mindflow-live >>> .axis', (el) => getComputedStyle(el).direction), 'ltr');
    assert.equal(await page.$eval('mindflow-live >>> .overlay', (el) => getComputedStyle(el).direction), 'ltr');
    assert.equal(await page.$eval('mindflow-live >>> .timeline',
      (el) => el.getBoundingClientRect().left === el.parentElement?.getBoundingClientRect().left), true);
    await screenshot(page, 'rtl-phone', { fullPage: true });
    await page.close();
  });

  for (const timing of /** @type {const} */ (['live', 'exact'])) {
    test(`ten faces are drawn within the frame, ${timing}`, async (t) => {
      server.handler.whip = other.whip;
      const page = await openPage(browser, server.url);
      await page.$eval('mindflow-live',
        (el, how) => { /** @type {import('../../live/element.js').MindflowLive} */ (el).timing = how; }, timing);
      await press(page, '.card-button');
      await waitState(page, 'live');
      await other.send('control', JSON.stringify(golden('control-hello.json')));
      const message = golden('labels-one-face.json');
      message.faces = Array.from({ length: 10 }, (_, i) =>
        ({ ...message.faces[0], id: i, box: [0.02 + 0.19 * (i % 5), 0.1 + 0.45 * Math.floor(i / 5), 0.15, 0.35] }));
      await whileSending(message, async () => {
        await waitInside(page, '.faces button[value="9"]');
        await screenshot(page, `ten-faces-${timing}`);
        const client = await page.createCDPSession();
        // Of the thread's own time, which does not grow when others use the machine.
        await client.send('Performance.enable', { timeDomain: 'threadTicks' });
        const spent = async () => 1000 * ((await client.send('Performance.getMetrics')).metrics
          .find((m) => m.name === 'TaskDuration')?.value ?? NaN);
        const before = await spent();
        const frames = await page.evaluate(() => new Promise((/** @type {(n: number) => void} */ resolve) => {
          let n = 0;
          const end = performance.now() + 4000;
          const next = () => { n++; if (performance.now() < end) requestAnimationFrame(next); else resolve(n); };
          requestAnimationFrame(next);
        }));
        const ms = ((await spent()) - before) / frames;
        t.diagnostic(`${timing}: ${ms.toFixed(2)} ms of the main thread a frame, ${frames} frames in 4 s`);
        assert.ok(ms <= 4, `${ms.toFixed(2)} ms of the main thread a frame`);
      }, 33);
      await page.close();
    });
  }
});
