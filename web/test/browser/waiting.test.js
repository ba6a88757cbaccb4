// A server with one place: the second page waits, says so, and joins by itself. And a server that asks for a token.

import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { CHROMIUM, freePort, launch, openPage, press, screenshot, seen, startServer, text, waitInside, waitLabels,
  waitState } from './driver.js';
import { root } from './truth.js';

const skip = !existsSync(CHROMIUM) ? `no Chromium at ${CHROMIUM}; set CHROMIUM`
  : !existsSync(path.join(root, 'bin/mindflow')) ? 'no bin/mindflow; run make build' : false;

describe('waiting', { skip, timeout: 540_000 }, () => {
  /** @type {import('puppeteer-core').Browser} */
  let browser;
  /** @type {Awaited<ReturnType<typeof startServer>>} */
  let server;
  /** @type {string} */
  let base;

  before(async () => {
    browser = await launch({ count: 1 });
  });
  after(() => browser?.close());
  afterEach(async () => {
    for (const page of await browser.pages()) if (page.url().startsWith('http')) await page.close();
    await server?.stop();
  });

  /** @param {...string} flags */
  async function serve(...flags) {
    const port = await freePort();
    base = `http://localhost:${port}`;
    server = await startServer(path.join(root, 'bin/mindflow'), [
      'serve', '--listen', `127.0.0.1:${port}`, '--media', `:${await freePort()}`, '--min-labels', '0', ...flags,
    ], base);
  }

  test('the second page waits and joins by itself', async () => {
    await serve('--max-sessions', '1');
    const [first, second, third] = [await openPage(browser, base), await openPage(browser, base),
      await openPage(browser, base)];
    /** Presses in a page, brought to the front: what is hidden draws nothing, and cannot be clicked. */
    const pressIn = async (/** @type {import('puppeteer-core').Page} */ page, /** @type {string} */ selector) => {
      await page.bringToFront();
      await press(page, selector);
    };
    await pressIn(first, '.card-button');
    await waitLabels(first, 3);
    await pressIn(second, '.card-button');
    await waitState(second, 'full');
    assert.equal(await text(second, '.card-title'), 'The server is full');
    assert.equal(await text(second, '.card-cause'), 'You are next.');
    assert.match(await text(second, '.spoken'), /The server is full You are next\. .*joins by itself/);
    assert.equal(await second.title(), '(1) Mindflow');
    await pressIn(third, '.card-button');
    await waitInside(third, '.card-cause', 'One person is before you.');
    await screenshot(third, 'waiting');

    // A page that is loaded again keeps its place in the queue.
    await second.reload({ waitUntil: 'load' });
    await pressIn(second, '.card-button');
    await waitInside(second, '.card-cause', 'You are next.');

    await pressIn(first, '.stop');
    await waitState(first, 'stopped');
    await second.bringToFront();
    await waitState(second, 'live');
    await waitLabels(second, 3);
    await third.bringToFront();
    await waitInside(third, '.card-cause', 'You are next.');

    // Stop gives the place in the queue up.
    await press(third, '.stop');
    await waitState(third, 'stopped');
    await pressIn(first, '.card-button');
    await waitInside(first, '.card-cause', 'You are next.');

    // A page that is closed frees its place.
    await second.close();
    await first.bringToFront();
    await waitState(first, 'live');
    assert.deepEqual(await seen(first, 'errors'), []);
  });

  test('who stops and starts has the place back at once', async () => {
    await serve('--max-sessions', '1');
    const page = await openPage(browser, base);
    await press(page, '.card-button');
    for (let i = 0; i < 5; i++) {
      await waitState(page, 'live');
      await press(page, '.stop');
      await waitState(page, 'stopped');
      await press(page, '.card-button');
    }
    await waitState(page, 'live');
    assert.ok((await seen(page, 'states')).every(({ state }) => state !== 'full'));
  });

  test('a session ends when its time is up', async () => {
    await serve('--max-session-time', '3s');
    const page = await openPage(browser, base);
    await press(page, '.card-button');
    await waitLabels(page, 3);
    await waitState(page, 'failed', 'time');
    assert.equal(await text(page, '.card-title'), 'Your time is up');
  });

  test('a token is asked for, and shown with everything', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'mindflow-token-'));
    try {
      const file = path.join(folder, 'tokens');
      writeFileSync(file, 'the-token-of-this-very-test\n');
      await serve('--token-file', file, '--max-sessions', '1');
      const page = await openPage(browser, base);
      /** @type {string[]} */
      const shown = [];
      page.on('request', (r) => {
        if (/\/(whip|sessions|waiting)/.test(r.url())) shown.push(`${r.method()} ${r.headers().authorization ?? '-'}`);
        assert.doesNotMatch(r.url(), /this-very-test/);
      });
      await press(page, '.card-button');
      await waitState(page, 'failed', 'unauthorized');
      assert.equal(await text(page, '.card-title'), 'This server asks for a token');
      await page.type('#token-text', 'the-token-of-this-very-test');
      await page.keyboard.press('Enter');
      await waitLabels(page, 3);
      await press(page, '.stop');
      await waitState(page, 'stopped');

      // A function gives another when the first is refused.
      await page.$eval('mindflow-live', (el) => {
        /** @type {any} */ (el).token = (/** @type {{refused: boolean}} */ { refused }) =>
          (refused ? 'the-token-of-this-very-test' : 'one-that-has-expired');
      });
      await press(page, '.card-button');
      await waitState(page, 'live');
      await press(page, '.stop');
      await waitState(page, 'stopped');
      const good = 'Bearer the-token-of-this-very-test';
      assert.deepEqual([...new Set(shown)].sort(),
        [`DELETE ${good}`, `PATCH ${good}`, 'POST -', 'POST Bearer one-that-has-expired', `POST ${good}`].sort());
      assert.doesNotMatch(server.log(), /this-very-test/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
