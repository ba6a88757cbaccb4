// Measures how soon a visitor sees something: node web/test/browser/paint.js [--write]
// Each load is in a profile of its own, without any cache; --write puts the table into docs/measurements/browser.md.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { freePort, launch, startServer } from './driver.js';
import { root } from './truth.js';

const LOADS = 15;
const PAGE = path.join(root, 'docs/measurements/browser.md');
const [BEGIN, END] = ['<!-- paint: written by make bench-paint -->', '<!-- end of paint -->'];

/**
 * @typedef {{paint: number, ready: number, bytes: number}} Load milliseconds since the navigation began; bytes over the
 *   wire
 */

/**
 * @param {import('puppeteer-core').Browser} browser
 * @param {string} url
 * @param {boolean} phone
 * @returns {Promise<Load>}
 */
async function load(browser, url, phone) {
  const context = await browser.createBrowserContext();
  try {
    const page = await context.newPage();
    await page.setViewport(phone ? { width: 390, height: 844, deviceScaleFactor: 2, isMobile: true, hasTouch: true }
      : { width: 1280, height: 860 });
    await page.evaluateOnNewDocument(() => {
      const look = () => {
        const button = document.querySelector('mindflow-live')?.shadowRoot?.querySelector('.card-button');
        if (button && button.getClientRects().length > 0) Object.assign(window, { ready: performance.now() });
        else requestAnimationFrame(look);
      };
      requestAnimationFrame(look);
    });
    await page.goto(url, { waitUntil: 'load' });
    const handle = await page.waitForFunction(() => {
      const [paint] = performance.getEntriesByName('first-contentful-paint');
      const { ready } = /** @type {any} */ (window);
      const fetched = /** @type {PerformanceResourceTiming[]} */ (
        [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]);
      return paint && ready && { paint: paint.startTime, ready,
        bytes: fetched.reduce((n, e) => n + e.transferSize, 0) };
    });
    return /** @type {Load} */ (await handle.jsonValue());
  } finally {
    await context.close();
  }
}

/** @param {number[]} values */
function spread(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (/** @type {number} */ share) => Math.round(
    sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]);
  return { median: at(0.5), least: at(0), most: at(1) };
}

const [port, media] = [await freePort(), await freePort()];
const base = `http://localhost:${port}`;
const server = await startServer(path.join(root, 'bin/mindflow'),
  ['serve', '--listen', `127.0.0.1:${port}`, '--media', `:${media}`], base);
const browser = await launch();
const rows = [];
try {
  for (const [name, phone] of /** @type {const} */ ([['a desk', false], ['a phone’s size', true]])) {
    /** @type {Load[]} */
    const loads = [];
    for (let i = 0; i < LOADS; i++) loads.push(await load(browser, base, phone));
    const [paint, ready] = [spread(loads.map((l) => l.paint)), spread(loads.map((l) => l.ready))];
    const kilobytes = Math.round(spread(loads.map((l) => l.bytes)).median / 1000);
    rows.push(`| ${name} | ${paint.median} (${paint.least} – ${paint.most}) | `
      + `${ready.median} (${ready.least} – ${ready.most}) | ${kilobytes} |`);
  }
} finally {
  await browser.close();
  await server.stop();
}
const table = [
  `Measured ${new Date().toISOString().slice(0, 10)} on ${os.cpus().length} cores (${os.cpus()[0].model.trim()}), `
    + 'headless Chromium and the server on the same machine, with `make bench-paint`;',
  `${LOADS} loads each, without any cache.`, '',
  '| page on | ms to the first contentful paint: median (least – most) | ms to the Start button | kB over the wire |',
    '|---|---|---|---|', ...rows,
].join('\n');
console.log(table);
if (process.argv.includes('--write')) {
  const page = readFileSync(PAGE, 'utf8');
  const [from, to] = [page.indexOf(BEGIN), page.indexOf(END)];
  assert.ok(from >= 0 && to > from, `${PAGE} has lost its marks ${BEGIN} and ${END}; put them back`);
  writeFileSync(PAGE, `${page.slice(0, from)}${BEGIN}\n${table}\n${page.slice(to)}`);
}
