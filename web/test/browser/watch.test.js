// The page /watch/ID in French, where the server demands tokens: it asks for one, says what is wrong with it, and shows
// it to nobody but the server.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createPrivateKey, sign } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { CHROMIUM, freePort, launch, makeCamera, openPage, screenshot, startServer, until, waitInside,
  waitLabels } from './driver.js';
import { aClip, root } from './truth.js';

const binary = path.join(root, 'bin/mindflow');
const skip = !existsSync(CHROMIUM) ? `no Chromium at ${CHROMIUM}; set CHROMIUM` : !existsSync(binary)
  ? 'no bin/mindflow; run make build' : false;

describe('watching', { skip, timeout: 540_000 }, () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'mindflow-watch-'));
  const key = path.join(folder, 'key.json');
  /** @type {string} */
  let base;
  /** @type {Awaited<ReturnType<typeof startServer>>} */
  let server;
  /** @type {import('puppeteer-core').Browser} */
  let browser;

  before(async () => {
    const [port, media] = [await freePort(), await freePort()];
    base = `http://localhost:${port}`;
    execFileSync(binary, ['token', 'key', key]);
    writeFileSync(path.join(folder, 'public.json'), execFileSync(binary, ['token', 'public', key]));
    server = await startServer(binary, ['serve', '--listen', `127.0.0.1:${port}`, '--media', `:${media}`, '--jwt-keys',
      path.join(folder, 'public.json')], base);
    browser = await launch({ camera: await makeCamera(await aClip(),
      { width: 640, height: 480, fps: 30, seconds: 5 }) });
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
    rmSync(folder, { recursive: true });
  });

  /** A token, whose time may be over. @param {string} sub @param {number} [seconds] from now */
  function mint(sub, seconds = 600) {
    const [jwk] = JSON.parse(readFileSync(key, 'utf8')).keys;
    const part = (/** @type {object} */ value) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const exp = Math.floor(Date.now() / 1000) + seconds;
    const said = `${part({ alg: 'EdDSA', kid: jwk.kid })}.${part({ aud: 'mindflow', sub, exp })}`;
    const signature = sign(null, Buffer.from(said), createPrivateKey({ key: jwk, format: 'jwk' }));
    return `${said}.${signature.toString('base64url')}`;
  }

  test('asks for a token, says what is wrong with one, and shows labels until the session ends', async () => {
    const page = await openPage(browser, base);
    await waitInside(page, '.card-button');
    await page.$eval('mindflow-live', async (el, token) => {
      const live = /** @type {import('../../live/element.js').MindflowLive} */ (el);
      live.token = token;
      await live.start();
    }, mint('teacher'));
    await waitLabels(page, 2);
    const session = await page.$eval('mindflow-live',
      (el) => /** @type {import('../../live/element.js').MindflowLive} */ (el).session);

    const viewer = await browser.newPage();
    await viewer.setViewport({ width: 390, height: 844, isMobile: true, hasTouch: true });
    await viewer.evaluateOnNewDocument(() => { Object.defineProperty(navigator, 'language', { value: 'fr-FR' }); });
    /** @type {string[]} */
    const requests = [];
    viewer.on('request', (r) => requests.push(r.url()));
    await viewer.goto(`${base}/watch/${session}`);
    const says = (/** @type {RegExp} */ words) => viewer.waitForFunction((source) =>
      new RegExp(source).test(['state', 'detail'].map((id) => document.getElementById(id)?.textContent).join(' ')), {},
        words.source);
    await says(/^Ce serveur demande un jeton\./);
    assert.equal(await viewer.title(), 'Suivre une session · Mindflow');
    await screenshot(viewer, 'watch-token-french');
    const paste = async (/** @type {string} */ token) => {
      await viewer.$eval('#token-text', (el, value) => { /** @type {HTMLInputElement} */ (el).value = value; }, token);
      await viewer.focus('#token-text');
      await viewer.keyboard.press('Enter');
    };
    await paste('nothing-of-the-kind');
    await says(/demande un jeton.*JWT|demande un jeton.*token/);
    await paste(mint('teacher', -60));
    await says(/demande un jeton.*the token has expired/);
    await screenshot(viewer, 'watch-expired-french');
    await paste(mint('somebody-else'));
    await says(/n’existe pas, ou appartient à un autre jeton/);
    await paste(mint('teacher'));
    await viewer.waitForFunction(() => /^(Neutre|Joie|Tristesse|Surprise|Peur|Dégoût|Colère|Mépris|Incertain)$/.test(
      document.querySelector('#faces .label')?.textContent ?? ''));
    await says(/^En direct/);
    assert.equal(await viewer.$eval('#token', (el) => /** @type {HTMLElement} */ (el).hidden), true);
    await screenshot(viewer, 'watch-live-french');
    await page.$eval('mindflow-live', (el) => /** @type {import('../../live/element.js').MindflowLive} */ (el).stop());
    await says(/^La session est terminée\. Elle a été arrêtée\./);
    assert.ok(requests.some((url) => url.endsWith(`/sessions/${session}/labels`)));
    assert.deepEqual(requests.filter((url) => url.includes('eyJ') || url.includes('?')), []);
    await until(() => !server.log().includes('eyJ'));
    for (const p of [viewer, page]) await p.close();
  });

  test('a connection test speaks French too', async () => {
    const page = await browser.newPage();
    await page.evaluateOnNewDocument(() => { Object.defineProperty(navigator, 'language', { value: 'fr-FR' }); });
    await page.goto(`${base}/selftest`);
    await page.click('#run');
    await page.waitForFunction(() => /Le test n’a pas pu commencer.*Le serveur demande un jeton/.test(
      document.getElementById('verdict')?.textContent ?? ''));
    await page.type('#token-text', mint('visitor'));
    await page.keyboard.press('Enter');
    await page.waitForFunction(() => /Cela marche, par UDP|aucune lecture/.test(
      document.getElementById('verdict')?.textContent ?? ''), { timeout: 60_000 });
    const checks = await page.$$eval('#checks li', (all) => all.map((el) => el.textContent ?? ''));
    assert.match(checks[1], /Directement, par UDPConnecté en \d+ ms \(.* vers host, UDP\).*(lecture)/);
    await screenshot(page, 'selftest-french', { fullPage: true });
    await page.close();
  });
});
