// Every codec that Chromium can send, each alone, through the real server.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { CHROMIUM, freePort, launch, makeCamera, MEDIA, openPage, press, seen, startServer, waitLabels,
  waitState } from './driver.js';

const binary = path.join(import.meta.dirname, '../../../bin/mindflow');
const clip = path.join(MEDIA, 'woman-distress-to-laugh.mp4');
const skip = !existsSync(CHROMIUM) ? `no Chromium at ${CHROMIUM}; set CHROMIUM`
  : !existsSync(binary) ? 'no bin/mindflow; run make build' : false;

/** @param {number[]} values */
const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];

describe('codecs', { skip, timeout: 540_000 }, () => {
  for (const codec of ['VP8', 'H264', 'VP9', 'AV1']) {
    test(`${codec} alone gets labels`, async (t) => {
      const camera = await makeCamera(existsSync(clip) ? clip : 'testsrc', { width: 640, height: 480, fps: 30 });
      const base = `http://localhost:${await freePort()}`;
      const args = ['serve', '--listen', new URL(base).host.replace('localhost', '127.0.0.1'), '--media',
        `:${await freePort()}`, '--codecs', codec];
      const server = await startServer(binary, args, base);
      let browser; // in the try: a server that is left running would keep the tests from ending
      try {
        browser = await launch({ camera });
        const page = await openPage(browser, base);
        const clicked = Date.now();
        await press(page, '.card-button');
        await waitState(page, 'live');
        await waitLabels(page, 1);
        const first = Date.now() - clicked;
        const before = (await waitLabels(page, 10)).length;
        const began = Date.now();
        await waitLabels(page, before + 80);
        const rate = 80_000 / (Date.now() - began);
        const messages = (await seen(page, 'labels')).slice(before);
        const decode = median(messages.map((m) => m.ms.decode));
        t.diagnostic(`first label after ${first} ms, ${rate.toFixed(1)} labels a second, `
          + `${decode.toFixed(2)} ms to decode a frame of ${messages[0].width}x${messages[0].height}`);
        assert.match(server.log(), new RegExp(`codec=${codec}\\b`));
        assert.ok(first < 2000, `first label after ${first} ms`);
        assert.ok(rate >= 5, `${rate.toFixed(1)} labels a second`);
      } finally {
        await browser?.close();
        await server.stop();
      }
    });
  }
});
