// Offers of Chromium that hold more than one stream of video, through the real server.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { CHROMIUM, freePort, launch, makeCamera, MEDIA, openPage, press, startServer, waitLabels,
  waitState } from './driver.js';

const binary = path.join(import.meta.dirname, '../../../bin/mindflow');
const clip = path.join(MEDIA, 'woman-distress-to-laugh.mp4');
const skip = !existsSync(CHROMIUM) ? `no Chromium at ${CHROMIUM}; set CHROMIUM`
  : !existsSync(binary) ? 'no bin/mindflow; run make build' : false;

/** Runs in the page: three encodings in place of one. */
function simulcast() {
  const { addTransceiver } = RTCPeerConnection.prototype;
  RTCPeerConnection.prototype.addTransceiver = function add(/** @type {any[]} */ ...args) {
    const [track, init] = args;
    const sendEncodings = ['h', 'm', 'l'].map((rid, i) => ({ rid, scaleResolutionDownBy: 2 ** i }));
    return Reflect.apply(addTransceiver, this, [track, { ...init, sendEncodings }]);
  };
}

/**
 * The description that the page offered.
 * @param {import('puppeteer-core').Page} page
 */
async function offerOf(page) {
  const request = await page.waitForRequest((r) => r.method() === 'POST' && r.url().endsWith('/whip'));
  return request.postData() ?? '';
}

describe('several streams', { skip, timeout: 300_000 }, () => {
  /** @type {Awaited<ReturnType<typeof startServer>>} */
  let server;
  let base = '';
  let camera = '';

  before(async () => {
    camera = await makeCamera(existsSync(clip) ? clip : 'testsrc', { width: 640, height: 480 });
    base = `http://localhost:${await freePort()}`;
    server = await startServer(binary, ['serve', '--listen', new URL(base).host.replace('localhost', '127.0.0.1'),
      '--media', `:${await freePort()}`], base);
  });
  after(async () => { await server.stop(); });

  for (const { name, flags, prepare, offered } of [
    {
      name: 'forward error correction',
      flags: ['--force-fieldtrials=WebRTC-FlexFEC-03-Advertised/Enabled/WebRTC-FlexFEC-03/Enabled/'],
      prepare: undefined,
      offered: /a=ssrc-group:FEC-FR/,
    },
    { name: 'simulcast', flags: [], prepare: simulcast, offered: /a=simulcast:send h;m;l/ },
  ]) {
    test(`${name} gets labels`, async () => {
      const browser = await launch({ camera, flags });
      try {
        const page = await openPage(browser, base, {}, prepare);
        const [offer] = await Promise.all([offerOf(page), press(page, '.card-button')]);
        assert.match(offer, offered);
        await waitState(page, 'live');
        const labels = await waitLabels(page, 30);
        assert.ok(labels.filter((m) => m.faces.length > 0).length > 15, 'too few labels have a face');
        assert.ok(labels.some((m) => m.width === 640), 'the first encoding, the largest, is not the one that is read');
      } finally {
        await browser.close();
      }
    });
  }
});
