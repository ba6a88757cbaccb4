// Drives a real Chromium for the browser tests: a camera made from a file, pages on a desk or a phone,
// the labels that arrive, and the server under test.

import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, renameSync, statSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import puppeteer from 'puppeteer-core';

export const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';

/** Where the clips are; see docs. */
export const MEDIA = path.resolve(
  process.env.MINDFLOW_TESTDATA ?? path.join(import.meta.dirname, '../../../../shared/media'),
);

/**
 * Bounds the waits of tests, which go on as soon as what they wait for is there: a busy machine takes its time.
 * Milliseconds.
 */
export const PATIENCE = 60_000;

/** Where screenshots go. */
export const SHOTS = process.env.MINDFLOW_SCREENSHOTS ?? path.join(tmpdir(), 'mindflow-screenshots');

/**
 * Makes a file that Chromium's fake camera plays in a loop. Y4M is exact where MJPEG shifts levels.
 * @param {string} file a clip or a picture; "testsrc" for ffmpeg's test picture
 * @param {{width?: number, height?: number, fps?: number, seconds?: number, black?: number}} [shape] without width
 *   the clip's own; seconds limits it, as each costs about 11 MB at 640×480; black: so many seconds behind the clip
 * @returns {Promise<string>} the file, cached by name, date and shape
 */
export async function makeCamera(file, { width, height, fps = 24, seconds = 20, black = 0 } = {}) {
  const folder = path.join(tmpdir(), 'mindflow-cameras');
  mkdirSync(folder, { recursive: true });
  const test = file === 'testsrc';
  const key = JSON.stringify([file, test ? 0 : statSync(file).mtimeMs, width, height, fps, seconds, black]);
  const out = path.join(folder, `${createHash('sha256').update(key).digest('hex').slice(0, 16)}.y4m`);
  if (existsSync(out)) return out;
  const size = width && height
    ? [`scale=${width}:${height}:force_original_aspect_ratio=decrease`, `pad=${width}:${height}:-1:-1`]
    : [];
  const input = test ? ['-f', 'lavfi', '-i', `testsrc=size=${width ?? 640}x${height ?? 480}`]
    : [...(/\.(png|jpe?g)$/i.test(file) ? ['-loop', '1'] : []), '-i', file];
  const partial = `${out}.${process.pid}.y4m`;
  await promisify(execFile)('ffmpeg', [
    '-v', 'error', '-y', ...input, '-t', String(seconds), '-an',
    '-vf', [...size, `fps=${fps}`, `tpad=stop_duration=${black}`, 'format=yuv420p'].join(','), partial,
  ]);
  renameSync(partial, out); // so that a test that runs beside this one never sees half a file
  return out;
}

/**
 * @param {{camera?: string, count?: number, allow?: boolean, flags?: string[]}} [how] camera: a file of
 *   makeCamera; count: instead, so many cameras with Chromium's own test picture; neither: no camera;
 *   allow: answer permission questions with yes
 */
export async function launch({ camera, count = 0, allow = true, flags = [] } = {}) {
  const args = [
    '--allow-loopback-in-peer-connection',
    '--autoplay-policy=no-user-gesture-required',
    '--disable-gpu',
    '--mute-audio',
    ...(allow ? ['--use-fake-ui-for-media-stream'] : []),
    ...(camera || count ? [`--use-fake-device-for-media-stream=device-count=${count || 1}`] : []),
    ...(camera ? [`--use-file-for-fake-video-capture=${camera}`] : []),
    ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
    ...flags,
  ];
  return puppeteer.launch({ executablePath: CHROMIUM, headless: true, args, timeout: 2 * PATIENCE });
}

/** @typedef {{dark?: boolean, phone?: boolean, calm?: boolean}} Look */

/** @typedef {{states: {state: string, reason?: string, attempt?: number}[],
 *   errors: {reason: string, message: string}[],
 *   labels: import('../../client/wire.js').Labels[], pending: () => number}} Seen */

/**
 * Opens a page that notes every event of the element in `window.seen`.
 * @param {import('puppeteer-core').Browser} browser
 * @param {string} url
 * @param {Look} [look]
 * @param {() => void} [prepare] runs in the page before its own scripts
 */
export async function openPage(browser, url, { dark = false, phone = false, calm = false } = {}, prepare = undefined) {
  const page = await browser.newPage();
  await page.setViewport(phone
    ? { width: 390, height: 844, deviceScaleFactor: 2, isMobile: true, hasTouch: true }
    : { width: 1280, height: 860, deviceScaleFactor: 1 });
  await page.emulateMediaFeatures([
    { name: 'prefers-color-scheme', value: dark ? 'dark' : 'light' },
    { name: 'prefers-reduced-motion', value: calm ? 'reduce' : 'no-preference' },
  ]);
  await page.evaluateOnNewDocument(note);
  if (prepare) await page.evaluateOnNewDocument(prepare);
  page.setDefaultTimeout(PATIENCE);
  page.setDefaultNavigationTimeout(2 * PATIENCE);
  await page.goto(url, { waitUntil: 'load' });
  return page;
}

/** Runs in the page: notes events, and counts what runs by itself. */
function note() {
  const intervals = new Set();
  const { setInterval: set, clearInterval: clear } = window;
  Object.assign(window, {
    setInterval: (/** @type {any[]} */ ...args) => {
      const id = Reflect.apply(set, window, args);
      intervals.add(id);
      return id;
    },
    clearInterval: (/** @type {number} */ id) => {
      intervals.delete(id);
      clear(id);
    },
    seen: { states: [], errors: [], labels: [], pending: () => intervals.size },
  });
  const { seen } = /** @type {{seen: Seen}} */ (/** @type {unknown} */ (window));
  const keep = (/** @type {string} */ type, /** @type {any[]} */ list) => {
    addEventListener(type, (e) => list.push(/** @type {CustomEvent} */ (e).detail));
  };
  keep('mindflow-state', seen.states);
  keep('mindflow-error', seen.errors);
  keep('mindflow-labels', seen.labels);
}

/**
 * What the page has noted.
 * @template {keyof Omit<Seen, 'pending'>} K
 * @param {import('puppeteer-core').Page} page
 * @param {K} kind
 * @returns {Promise<Seen[K]>}
 */
export function seen(page, kind) {
  return page.evaluate((k) => /** @type {any} */ (window).seen[k], kind);
}

/**
 * Waits until the element is in a state.
 * @param {import('puppeteer-core').Page} page
 * @param {string} state
 * @param {string} [reason]
 * @param {number} [timeout] milliseconds
 */
export async function waitState(page, state, reason, timeout = PATIENCE) {
  try {
    await page.waitForFunction((want, why) => {
      const last = /** @type {any} */ (window).seen.states.at(-1);
      return last?.state === want && (!why || last.reason === why);
    }, { timeout }, state, reason);
  } catch (cause) {
    const were = (await seen(page, 'states')).map((s) => [s.state, s.reason].filter((v) => v).join(':')).join(' → ');
    throw new Error(`waiting for ${state}${reason ? `:${reason}` : ''}, the states were: ${were}`, { cause });
  }
}

/**
 * Waits for a number of label messages and returns all there are.
 * @param {import('puppeteer-core').Page} page
 * @param {number} count
 * @param {number} [timeout] milliseconds
 */
export async function waitLabels(page, count, timeout = PATIENCE) {
  await page.waitForFunction((n) => /** @type {any} */ (window).seen.labels.length >= n, { timeout }, count);
  return seen(page, 'labels');
}

/**
 * Presses a button inside the element.
 * @param {import('puppeteer-core').Page} page
 * @param {string} selector within its shadow tree: ".card-button", ".pause", ".stop", ".mirror"
 */
export async function press(page, selector) {
  await page.locator(`mindflow-live >>> ${selector}`).click();
}

/**
 * Waits until something is inside the element.
 * @param {import('puppeteer-core').Page} page
 * @param {string} selector within its shadow tree
 * @param {string} [content] its whole text
 */
export async function waitInside(page, selector, content) {
  await page.waitForFunction((s, want) => {
    const found = document.querySelector('mindflow-live')?.shadowRoot?.querySelector(s);
    return found && (want === undefined || found.textContent === want);
  }, { timeout: PATIENCE }, selector, content);
}

/**
 * The text of something inside the element.
 * @param {import('puppeteer-core').Page} page
 * @param {string} selector within its shadow tree
 */
export function text(page, selector) {
  return page.$eval(`mindflow-live >>> ${selector}`, (el) => el.textContent ?? '');
}

/**
 * Takes a picture of the page as it is.
 * @param {import('puppeteer-core').Page} page
 * @param {string} name
 * @param {{fullPage?: boolean}} [how]
 */
export async function screenshot(page, name, { fullPage = false } = {}) {
  mkdirSync(SHOTS, { recursive: true });
  await page.screenshot({ path: /** @type {`${string}.png`} */ (path.join(SHOTS, `${name}.png`)), fullPage });
}

/**
 * Waits until something is so.
 * @param {() => boolean | Promise<boolean>} holds
 * @param {number} [timeout] milliseconds
 */
export async function until(holds, timeout = PATIENCE) {
  const deadline = Date.now() + timeout;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`it did not become so within ${timeout} ms: ${holds}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Waits until a number has not changed for a second. @param {() => Promise<number>} read */
export async function settles(read) {
  let last = await read();
  let since = Date.now();
  await until(async () => {
    const now = await read();
    if (now !== last) [last, since] = [now, Date.now()];
    return Date.now() - since > 1000;
  });
  return last;
}

const given = new Set(); // ports, by this process

/** A port that nothing listens on, TCP or UDP alike as a rule, and that is given once. */
export async function freePort() {
  for (;;) {
    // below 32768, where the kernel's own choices begin: it hands out none of these
    const port = 20_000 + Math.floor(12_000 * Math.random());
    if (given.has(port)) continue;
    given.add(port);
    const probe = createServer().listen(port, '127.0.0.1');
    try {
      await once(probe, 'listening');
    } catch (error) {
      if (/** @type {NodeJS.ErrnoException} */ (error).code === 'EADDRINUSE') continue;
      throw error;
    }
    probe.close();
    await once(probe, 'close');
    return port;
  }
}

/**
 * Starts the server and waits until it answers.
 * @param {string} binary
 * @param {string[]} args
 * @param {string} base its address, as the arguments make it: "http://127.0.0.1:8080"
 * @param {number} [timeout] milliseconds
 * @returns {Promise<{pid: number | undefined, log: () => string, stop: () => Promise<void>}>}
 */
export async function startServer(binary, args, base, timeout = PATIENCE) {
  const child = spawn(binary, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const exited = once(child, 'exit');
  exited.catch(() => {}); // a binary that cannot be started is told below
  let log = '';
  let failed = '';
  child.on('error', (error) => { failed = error.message; });
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => { log += chunk; });
  const stop = async () => {
    if (child.exitCode !== null || child.signalCode !== null || failed) return;
    child.kill('SIGTERM');
    const force = setTimeout(() => child.kill('SIGKILL'), 30_000);
    await exited;
    clearTimeout(force);
  };
  const deadline = Date.now() + timeout;
  while (!(/\bserving\b/.test(log) && await answers(`${base}/healthz`))) { // or another's server answers there
    if (failed || child.exitCode !== null || Date.now() > deadline) {
      await stop();
      throw new Error(`the server did not come up: ${failed || log || 'it said nothing'}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return { pid: child.pid, log: () => log, stop };
}

/**
 * Reports whether a server answers; over HTTPS with any certificate.
 * @param {string} url
 * @returns {Promise<boolean>}
 */
function answers(url) {
  return new Promise((resolve) => {
    const ask = url.startsWith('https:') ? https.get(url, { rejectUnauthorized: false, agent: false })
      : http.get(url, { agent: false });
    ask.on('response', (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    ask.on('error', () => resolve(false));
  });
}
