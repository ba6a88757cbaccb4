// The ways to the server that are not the plain one: HTTPS with a certificate made for a LAN, media over TCP, and media
// through the server's own relay, in a real Chromium.

import assert from 'node:assert/strict';
import { createHash, X509Certificate } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { networkInterfaces, tmpdir } from 'node:os';
import path from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { CHROMIUM, freePort, launch, makeCamera, openPage, press, startServer, until, waitLabels,
  waitState } from './driver.js';
import { aClip, root } from './truth.js';

const skip = !existsSync(CHROMIUM) ? `no Chromium at ${CHROMIUM}; set CHROMIUM`
  : !existsSync(path.join(root, 'bin/mindflow')) ? 'no bin/mindflow; run make build' : false;

/** What a network that lets no UDP through leaves of WebRTC. */
const NO_UDP = '--webrtc-ip-handling-policy=disable_non_proxied_udp';

/** This machine's address on its network; loopback where it has none. */
const own = Object.values(networkInterfaces()).flat().find((a) => a?.family === 'IPv4' && !a.internal)?.address
  ?? '127.0.0.1';

/** Runs in the page: keeps its connections, whose statistics tell the way. */
function keep() {
  const Real = window.RTCPeerConnection;
  /** @type {any} */ (window).connections = [];
  window.RTCPeerConnection = class extends Real {
    constructor(/** @type {any} */ config) {
      super(config);
      /** @type {any} */ (window).connections.push(this);
    }
  };
}

/** The pair that the page's newest connection goes by. @param {import('puppeteer-core').Page} page */
function way(page) {
  return page.evaluate(async () => {
    const stats = await /** @type {any} */ (window).connections.at(-1).getStats();
    for (const s of stats.values()) {
      if (s.type !== 'transport') continue;
      const pair = stats.get(s.selectedCandidatePairId);
      const local = stats.get(pair.localCandidateId);
      return { kind: local.candidateType, protocol: local.protocol, relay: local.relayProtocol ?? '' };
    }
    return undefined;
  });
}

describe('reach', { skip, timeout: 1_800_000 }, () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'mindflow-reach-'));
  /** @type {string} */
  let camera;
  /** @type {string} */
  let base;
  /** @type {string} */
  let plain;
  /** @type {string} of the certificate's key */
  let pin;
  /** @type {Awaited<ReturnType<typeof startServer>>} */
  let server;
  /** @type {import('puppeteer-core').Browser[]} */
  const browsers = [];

  before(async () => {
    camera = await makeCamera(await aClip(), { width: 640, height: 480, fps: 24 });
    const ports = [];
    for (let i = 0; i < 6; i++) ports.push(await freePort());
    const [listen, redirect, media, mediaTCP, turn, turnTLS] = ports;
    base = `https://${own}:${listen}`;
    plain = `http://${own}:${redirect}`;
    server = await startServer(path.join(root, 'bin/mindflow'),
      ['serve', '--listen', `:${listen}`, '--http-redirect', `:${redirect}`, '--open',
      '--tls-self-signed', '--tls-folder', folder, '--media', `:${media}`, '--media-tcp', `:${mediaTCP}`, '--turn',
        `:${turn}`, '--turn-tls', `:${turnTLS}`], base, 60_000);
    const made = new X509Certificate(readFileSync(path.join(folder, 'self-signed.crt')));
    pin = createHash('sha256').update(made.publicKey.export({ type: 'spki', format: 'der' })).digest('base64');
  });
  afterEach(async () => {
    for (const browser of browsers.splice(0)) {
      for (const page of await browser.pages()) await page.goto('about:blank');
      await browser.close();
    }
  });
  after(async () => {
    await server?.stop();
    rmSync(folder, { recursive: true });
  });

  /**
   * Opens the page, which trusts the certificate as a visitor does who said yes, and starts.
   * @param {{url?: string, flags?: string[], route?: string}} how
   */
  async function start({ url = base, flags = [], route = 'any' }) {
    const browser =
      await launch({ camera, flags: [`--ignore-certificate-errors-spki-list=${pin}`,
      `--user-data-dir=${mkdtempSync(path.join(folder, 'browser-'))}`, ...flags] });
    browsers.push(browser);
    const page = await openPage(browser, 'about:blank');
    await page.evaluateOnNewDocument(keep);
    await page.goto(url, { waitUntil: 'load' });
    await page.$eval('mindflow-live', (el, by) => el.setAttribute('route', by), route);
    const clicked = Date.now();
    await press(page, '.card-button');
    await waitState(page, 'live');
    const connected = Date.now() - clicked;
    await waitLabels(page, 10);
    return { page, connected, by: await way(page) };
  }

  test('HTTPS from plain HTTP, by an address of the network and without a STUN server', async (t) => {
    const { page, connected, by } = await start({ url: plain });
    assert.equal(new URL(page.url()).origin, base);
    assert.ok(await page.evaluate(() => isSecureContext));
    assert.equal(by?.protocol, 'udp');
    assert.notEqual(by?.kind, 'relay');
    t.diagnostic(`at ${base}: connected in ${connected} ms, ${JSON.stringify(by)}`);
  });

  test('media over TCP, where no UDP gets through and there is no relay', async (t) => {
    const url = `http://127.0.0.1:${await freePort()}`;
    const { stop } = await startServer(path.join(root, 'bin/mindflow'), ['serve', '--listen', new URL(url).host,
      '--media', `:${await freePort()}`, '--media-tcp', `:${await freePort()}`], url, 60_000);
    try {
      const { connected, by } = await start({ url, flags: [NO_UDP] });
      t.diagnostic(`connected in ${connected} ms, ${JSON.stringify(by)}`);
      assert.equal(by?.protocol, 'tcp');
      assert.notEqual(by?.kind, 'relay');
    } finally {
      await stop();
    }
  });

  test('media through the relay alone', async (t) => {
    const { page, connected, by } = await start({ route: 'relay' });
    t.diagnostic(`connected in ${connected} ms, ${JSON.stringify(by)}`);
    assert.equal(by?.kind, 'relay');
    const first = (await waitLabels(page, 1)).length;
    await waitLabels(page, first + 60); // it goes on
  });

  test('media through the relay over a stream, where no UDP gets through', async (t) => {
    const { connected, by } = await start({ route: 'relay', flags: [NO_UDP] });
    t.diagnostic(`connected in ${connected} ms, ${JSON.stringify(by)}`);
    assert.equal(by?.kind, 'relay');
    assert.notEqual(by?.relay, 'udp');
  });

  test('the page says so where the way that is asked for is not there', async () => {
    const port = await freePort();
    const without = await startServer(path.join(root, 'bin/mindflow'),
      ['serve', '--listen', `127.0.0.1:${port}`, '--media', `:${await freePort()}`], `http://127.0.0.1:${port}`,
      60_000);
    try {
      const browser = await launch({ camera });
      browsers.push(browser);
      const page = await openPage(browser, `http://127.0.0.1:${port}`);
      await page.$eval('mindflow-live', (el) => el.setAttribute('route', 'relay'));
      await press(page, '.card-button');
      await until(() => page.evaluate(() => /** @type {any} */ (window).seen.states
        .some((/** @type {any} */ s) => s.reason === 'blocked')));
    } finally {
      await without.stop();
    }
  });
});
