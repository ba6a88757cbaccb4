// The box on its own frame, measured: how far it lies from where the face truly is in the picture that is shown.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import puppeteer from 'puppeteer-core';
import { CHROMIUM, freePort, launch, screenshot, startServer, until } from './driver.js';
import { Line } from './line.js';
import { arguments_, placeOf, prepare, STEP, WAY } from './moving.js';
import { root } from './truth.js';

const FIREFOX = process.env.FIREFOX ?? '/usr/bin/firefox-esr';
const skip = existsSync(path.join(root, 'bin/mindflow')) ? false : 'no bin/mindflow; run make build';
const MOVING = 300; // samples of a window, of a face that moves
// of which the one in the middle counts: a machine that is busy with other things for a moment says nothing of ours
const WINDOWS = 3;

/** @typedef {{timing: 'live' | 'exact', browser?: 'chromium' | 'firefox', stamps?: boolean, way?: number}} Case
 *   stamps: the page may see what is sent encoded; way: ms to the server */
/** @type {[string, Case][]} */
const CASES = [
  ['live', { timing: 'live' }],
  ['live, the server 60 ms away', { timing: 'live', way: 60 }],
  ['exact', { timing: 'exact' }],
  ['exact, the server 60 ms away', { timing: 'exact', way: 60 }],
  ['exact, the server 60 ms away, where a page may not see what is sent', { timing: 'exact', way: 60, stamps: false }],
  ['live in Firefox', { timing: 'live', browser: 'firefox' }],
  ['exact in Firefox', { timing: 'exact', browser: 'firefox' }],
];

/** @typedef {import('../../live/element.js').MindflowLive} MindflowLive */
/**
 * @typedef {{n: number, centre: [number, number], raw: [number, number], waits: boolean, at: number, side: number}}
 *   Sample
 */

describe('the box on its own frame', { skip, timeout: 900_000 }, () => {
  for (const [name, { timing, browser: which = 'chromium', stamps = true, way = 0 }] of CASES) {
    const program = which === 'firefox' ? FIREFOX : CHROMIUM;
    test(name, { skip: existsSync(program) ? false : `no browser at ${program}` }, async (t) => {
      const media = await freePort();
      const base = `http://localhost:${await freePort()}`;
      const address = which === 'firefox' ? `:${media}` : `127.0.0.1:${media}`; // Firefox does not leave from 127.0.0.1
      const server = await startServer(path.join(root, 'bin/mindflow'),
        ['serve', '--listen', `127.0.0.1:${new URL(base).port}`, '--media', address], base);
      const line = new Line(media);
      const port = await line.open();
      line.conditions = { delay: way };
      const browser = which === 'firefox' ? await firefox() : await launch();
      try {
        const page = await browser.newPage();
        if (!stamps) {
          await page.evaluateOnNewDocument(() => { Reflect.deleteProperty(window, 'RTCRtpScriptTransform'); });
        }
        await page.evaluateOnNewDocument(prepare, ...arguments_());
        if (way > 0) await page.evaluateOnNewDocument(detour, media, port);
        await page.goto(base);
        await page.waitForFunction(() => document.querySelector('mindflow-live')?.shadowRoot?.querySelector(
          '.card-button'));
        await page.$eval('mindflow-live', (el, how) => {
          const live = /** @type {MindflowLive} */ (el);
          live.mirror = false;
          live.timing = how;
          void live.start();
        }, timing);
        const moving = () => page.evaluate((rest) => /** @type {any} */ (window).truth.samples
          .filter((/** @type {Sample} */ s) => s.n > rest).length, WAY.rest + 60);
        await until(async () => (await moving()) >= MOVING, 90_000);
        await screenshot(page, `moving-${name.replaceAll(/\W+/g, '-')}`);
        await until(async () => (await moving()) >= WINDOWS * MOVING + 1, 90_000);
        const { samples, labels, errors } = await page.evaluate(() => /** @type {any} */ (window).truth);
        assert.deepEqual(errors, []);
        const told = labels.filter((/** @type {any} */ l) => l.captureTime !== undefined);
        assert.ok(told.length > labels.length / 2,
          `${told.length} of ${labels.length} labels tell when their frame was captured`);
        judge(t, timing, samples, labels, stamps ? STEP : 2 * STEP);
      } finally {
        await browser.close();
        line.close();
        await server.stop();
      }
    });
  }
});

function firefox() {
  return puppeteer.launch({
    browser: 'firefox', executablePath: FIREFOX, headless: true,
    extraPrefsFirefox: {
      'media.peerconnection.ice.loopback': true, // without a network there is nothing else
      'media.peerconnection.ice.obfuscate_host_addresses': false,
    },
  });
}

/** Runs in the page: has it find the line in the place of the media port. @param {number} media @param {number} line */
function detour(media, line) {
  const real = RTCPeerConnection.prototype.setRemoteDescription;
  RTCPeerConnection.prototype.setRemoteDescription = function set(/** @type {any} */ d) {
    return Reflect.apply(real, this,
      [{ type: d.type, sdp: d.sdp.replaceAll(` 127.0.0.1 ${media} `, ` 127.0.0.1 ${line} `) }]);
  };
}

/**
 * @param {import('node:test').TestContext} t
 * @param {'live' | 'exact'} timing
 * @param {Sample[]} samples
 * @param {any[]} labels
 * @param {number} most pixels
 */
function judge(t, timing, samples, labels, most) {
  const off = offsetOf(samples);
  const far = (/** @type {[number, number]} */ [x, y], /** @type {number} */ n) =>
    Math.hypot(x - off[0] - placeOf(n)[0], y - off[1] - placeOf(n)[1]);
  const moving = samples.filter((s) => s.n > WAY.rest + 60 && (timing === 'live' || s.waits) && s.raw);
  assert.ok(moving.length >= WINDOWS * MOVING, `only ${moving.length} pictures of a moving face`);
  const rest = samples.filter((s) => s.n > 20 && s.n < WAY.rest - 2);
  const late = labels.filter((l) => l.captureTime !== undefined).map((l) => l.came - l.captureTime);
  const figure = (/** @type {number[]} */ all) =>
    `median ${quantile(all, 0.5).toFixed(1)}, p95 ${quantile(all, 0.95).toFixed(1)}`;
  const windows = Array.from({ length: WINDOWS }, (_, i) => moving.slice(i * MOVING, (i + 1) * MOVING))
    .map((window) => ({
    drawn: window.map((s) => far(s.centre, s.n)), raw: window.map((s) => far(s.raw, s.n)),
  }));
  for (const { drawn, raw } of windows) {
    const labels = timing === 'live' ? `as labels come: ${figure(raw)}; ` : '';
    t.diagnostic(`${timing}: pixels from the face: ${figure(drawn)}; ${labels}a frame's motion is ${STEP.toFixed(1)}`);
  }
  t.diagnostic(`at rest it moves ${unrest(rest, 'centre').toFixed(2)} a picture, `
    + `${unrest(rest, 'raw').toFixed(2)} as labels come; labels come ${figure(late)} ms after capture`);
  const p95 = (/** @type {'drawn' | 'raw'} */ which) => windows.map((w) => quantile(w[which], 0.95));
  const [drawn, raw] = [p95('drawn'), p95('raw')];
  if (timing === 'exact') {
    assert.ok(quantile(drawn, 0.5) <= most,
      `p95 of the error is ${drawn.map((v) => v.toFixed(1))} pixels; a frame's motion is ${STEP.toFixed(1)}`);
  } else {
    assert.ok(quantile(drawn.map((v, i) => v - raw[i]), 0.5) < 0,
      `p95 is ${drawn.map((v) => v.toFixed(1))} pixels, no better than ${raw.map((v) => v.toFixed(1))} without`);
  }
}

/** Where the detector's box lies beside the photograph's middle, from the face at rest. @param {Sample[]} samples */
function offsetOf(samples) {
  const rest = samples.filter((s) => s.raw && s.n > 20 && s.n < WAY.rest);
  assert.ok(rest.length > 5, `${rest.length} pictures of a face at rest`);
  return [0, 1].map((i) => quantile(rest.map((s) => s.raw[i] - placeOf(s.n)[i]), 0.5));
}

/**
 * How far it goes from one picture to the next, on average.
 * @param {Sample[]} samples of a face at rest
 * @param {'centre' | 'raw'} which
 */
function unrest(samples, which) {
  const way = samples.slice(1).reduce((sum, s, i) => sum
    + Math.hypot(s[which][0] - samples[i][which][0], s[which][1] - samples[i][which][1]), 0);
  return way / new Set(samples.map((s) => s.n)).size;
}

/** @param {number[]} values @param {number} share */
function quantile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
}
