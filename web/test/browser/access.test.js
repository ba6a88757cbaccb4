// For fingers, keyboards and those who listen.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { CHROMIUM, launch, openPage, waitState } from './driver.js';
import { peer, serve } from './standin.js';

const skip = existsSync(CHROMIUM) ? false : `no Chromium at ${CHROMIUM}; set CHROMIUM`;

describe('access', { skip, timeout: 300_000 }, () => {
  /** @type {import('puppeteer-core').Browser} */
  let browser;
  /** @type {Awaited<ReturnType<typeof serve>>} */
  let server;

  before(async () => {
    browser = await launch({ count: 1, flags: ['--disable-features=WebRtcHideLocalIpsWithMdns'] });
    server = await serve((await peer(browser)).whip);
  });
  after(async () => {
    await browser?.close();
    await server?.close();
  });

  test('targets of touch are at least 44 px', async () => {
    const page = await openPage(browser, server.url, { phone: true });
    const small = await page.evaluate(() => {
      const root = /** @type {ShadowRoot} */ (document.querySelector('mindflow-live')?.shadowRoot);
      return [...root.querySelectorAll('button'), ...document.querySelectorAll('a')]
        .filter((el) => el.getClientRects().length > 0 && el.getBoundingClientRect().height < 44)
        .map((el) => el.textContent);
    });
    assert.deepEqual(small, []);
    await page.close();
  });

  test('the keyboard keeps its place', async () => {
    const page = await openPage(browser, server.url);
    const focused = () => page.$eval('mindflow-live', (el) => el.shadowRoot?.activeElement?.textContent);
    await page.focus('mindflow-live >>> .card-button');
    await page.keyboard.press('Enter');
    await waitState(page, 'live');
    assert.equal(await focused(), 'Stop');
    await page.keyboard.press('Enter');
    await waitState(page, 'stopped');
    assert.equal(await focused(), 'Start camera');
    await page.close();
  });

  test('controls and picture have names', async () => {
    const page = await openPage(browser, server.url);
    const tree = await page.accessibility.snapshot({ includeIframes: false });
    /** @type {string[]} */
    const nameless = [];
    const walk = (/** @type {import('puppeteer-core').SerializedAXNode | null} */ node) => {
      if (node && ['button', 'switch', 'link', 'combobox', 'image'].includes(node.role) && !node.name) {
        nameless.push(node.role);
      }
      for (const child of node?.children ?? []) walk(child);
    };
    walk(tree);
    assert.deepEqual(nameless, []);
    assert.equal(await page.$eval('mindflow-live >>> .spoken', (el) => el.getAttribute('aria-live')), 'polite');
    await page.close();
  });
});
