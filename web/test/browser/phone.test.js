// What phones do to a page: they are held upright and turned, have a second camera, are locked, put pages away and save
// power.

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { audit } from './axe.js';
import { CHROMIUM, launch, openPage, press, screenshot, seen, settles, until, waitInside, waitLabels,
  waitState } from './driver.js';
import { peer, refuse, serve } from './standin.js';
import { root } from './truth.js';

const skip = existsSync(CHROMIUM) ? false : `no Chromium at ${CHROMIUM}; set CHROMIUM`;
const golden = (/** @type {string} */ name) => readFileSync(new URL(`../../testdata/wire/${name}`, import.meta.url),
  'utf8');

/** @typedef {import('../../live/element.js').MindflowLive} MindflowLive */

describe('phone', { skip, timeout: 540_000 }, () => {
  /** @type {import('puppeteer-core').Browser} */
  let browser;
  /** @type {Awaited<ReturnType<typeof serve>>} */
  let server;
  /** @type {Awaited<ReturnType<typeof peer>>} */
  let other;
  /** @type {import('puppeteer-core').Page} what is in front when the phone shows something else */
  let elsewhere;

  before(async () => {
    browser = await launch({ count: 3, flags: ['--disable-features=WebRtcHideLocalIpsWithMdns'] });
    server = await serve(refuse(500, 'not set'));
    other = await peer(browser);
    server.handler.whip = other.whip;
    elsewhere = await browser.newPage();
  });
  after(async () => {
    await browser?.close();
    await server?.close();
  });

  /** The page, live on a phone. @param {() => void} [prepare] */
  async function live(prepare) {
    const page = await openPage(browser, server.url, { phone: true }, prepare);
    await press(page, '.card-button');
    await waitState(page, 'live');
    await other.send('control', golden('control-hello.json'));
    return page;
  }

  const states = async (/** @type {import('puppeteer-core').Page} */ page) => (await seen(page, 'states'))
    .map(({ state }) => state);

  test('locked, it pauses; back, it goes on, without a word to press', async () => {
    const page = await live(() => {
      let muted = false;
      Object.defineProperty(MediaStreamTrack.prototype, 'muted', { get: () => muted });
      // What a phone does to a track when its screen is locked.
      Object.assign(window, { mute: (/** @type {boolean} */ on) => {
        muted = on;
        const stream = /** @type {MediaStream} */ (
          document.querySelector('mindflow-live')?.shadowRoot?.querySelector('video')?.srcObject);
        stream.getVideoTracks()[0].dispatchEvent(new Event(on ? 'mute' : 'unmute'));
      } });
    });
    const mute = (/** @type {boolean} */ on) => page.evaluate((m) => /** @type {any} */ (window).mute(m), on);
    await elsewhere.bringToFront();
    await until(() => page.evaluate(() => document.hidden));
    assert.equal((await states(page)).at(-1), 'live'); // a desk's browser leaves it the camera
    await mute(true);
    await waitState(page, 'paused');
    await until(async () => (await other.received()).includes('pause'));
    const still = await settles(() => other.frames());
    await mute(false);
    assert.equal((await states(page)).at(-1), 'paused'); // nobody sees it yet
    await page.bringToFront();
    await waitState(page, 'live');
    await until(async () => (await other.frames()) > still);
    assert.equal((await states(page)).filter((s) => s === 'asking').length, 1); // the camera was kept

    // A pause of the visitor's is the visitor's to end.
    await press(page, '.pause');
    await waitState(page, 'paused');
    await elsewhere.bringToFront();
    await mute(true);
    await mute(false);
    await page.bringToFront();
    await until(() => page.evaluate(() => !document.hidden));
    assert.equal((await states(page)).at(-1), 'paused');
    await page.close();
  });

  test('put away for so long that the session ended, it opens another', async () => {
    const page = await live();
    server.requests.length = 0;
    const devtools = await page.createCDPSession();
    await elsewhere.bringToFront();
    await devtools.send('Page.setWebLifecycleState', { state: 'frozen' });
    await other.send('control', JSON.stringify({ v: 1, type: 'bye', reason: 'idle' }));
    await devtools.send('Page.setWebLifecycleState', { state: 'active' });
    await until(() => server.requests.includes('DELETE /sessions/s1')); // it has heard the farewell
    assert.equal((await states(page)).at(-1), 'paused');
    await page.bringToFront();
    await waitState(page, 'live');
    assert.ok(!(await states(page)).includes('failed'));
    await until(async () => (await other.frames()) > 0);
    assert.equal(server.requests.filter((r) => r === 'POST /whip').length, 1);
    await page.close();
  });

  for (const reason of ['idle', 'no-media']) {
    test(`back at the moment at which the server ends the session, ${reason}, it opens another`, async () => {
      const page = await live();
      await press(page, '.pause');
      await waitState(page, 'paused');
      // it was under way when the page asked
      await other.reply('resume', JSON.stringify({ v: 1, type: 'bye', reason }));
      await press(page, '.card-button');
      await page.waitForFunction(() => /** @type {any} */ (window).seen.states.slice(-2)
        .map((/** @type {any} */ s) => s.state).join() === 'connecting,live');
      assert.ok(!(await states(page)).includes('failed'));
      await until(async () => (await other.frames()) > 0);
      await page.close();
    });
  }

  test('what the page draws itself pauses while nobody sees it', async () => {
    const page = await openPage(browser, server.url, { phone: true });
    await waitInside(page, '.card-button');
    const input = await page.$('mindflow-live >>> .card-file input');
    await /** @type {import('puppeteer-core').ElementHandle<HTMLInputElement>} */ (input).uploadFile(path
      .join(root, 'docs/images/calibration.png'));
    await waitState(page, 'live');
    await elsewhere.bringToFront();
    await waitState(page, 'paused');
    await page.bringToFront();
    await waitState(page, 'live');
    await page.close();
  });

  test('the other camera is taken while live, and the first is let go of before', async () => {
    const page = await live(() => {
      const { mediaDevices } = navigator;
      const open = mediaDevices.getUserMedia.bind(mediaDevices);
      const asked = /** @type {string[]} */ ([]);
      Object.assign(window, { asked });
      mediaDevices.getUserMedia = async (how) => {
        const video = /** @type {HTMLVideoElement | null | undefined} */ (
          document.querySelector('mindflow-live')?.shadowRoot?.querySelector('video'));
        const facing = String(/** @type {MediaTrackConstraints} */ (how?.video).facingMode);
        asked.push(`${facing}, ${video?.srcObject ? 'another is open' : 'none is open'}`);
        const stream = await open(how);
        stream.getVideoTracks()[0].getSettings = () => ({ facingMode: facing, deviceId: facing });
        return stream;
      };
    });
    await waitInside(page, '.mirror[aria-checked=true]');
    const frames = await other.frames();
    await page.$eval('mindflow-live', (el) => { /** @type {MindflowLive} */ (el).facing = 'environment'; });
    await waitInside(page, '.mirror[aria-checked=false]'); // what looks away is not mirrored
    await until(async () => (await other.frames()) > frames);
    assert.deepEqual(await page.evaluate(() => /** @type {any} */ (window).asked),
      ['user, none is open', 'environment, none is open']);
    assert.equal((await states(page)).at(-1), 'live');
    await page.close();
  });

  test('turned while live, the picture keeps its shape, and boxes lie where they did in it', async () => {
    const page = await openPage(browser, server.url, { phone: true });
    await waitInside(page, '.card-button');
    await page.evaluate(async () => {
      const canvas = Object.assign(document.createElement('canvas'), { width: 480, height: 640 });
      const ctx = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
      setInterval(() => {
        ctx.fillStyle = '#456';
        ctx.fillRect(0, 0, canvas.width, canvas.height);
      }, 50);
      Object.assign(window, { canvas });
      const live = /** @type {MindflowLive} */ (document.querySelector('mindflow-live'));
      live.srcObject = canvas.captureStream();
      await live.start();
    });
    await waitState(page, 'live');
    await other.send('control', golden('control-hello.json'));
    const message = JSON.parse(golden('labels-one-face.json'));
    const [x, y, w] = message.faces[0].box;
    let seq = 0;
    /** Where the box is drawn, in fractions of the stage. @param {number} width @param {number} height */
    const shown = async (width, height) => {
      await page.evaluate((wide, high) => Object.assign(/** @type {any} */ (window).canvas,
        { width: wide, height: high }), width, height);
      await until(async () => (await other.size()) === `${width}x${height}`);
      await page.waitForFunction((ratio) => {
        const video = /** @type {HTMLVideoElement | null | undefined} */ (
          document.querySelector('mindflow-live')?.shadowRoot?.querySelector('video'));
        return video && Math.abs(video.clientWidth / video.clientHeight - ratio) < 0.01;
      }, {}, width / height);
      const before = seq;
      await until(async () => {
        await other.send('labels', JSON.stringify({ ...message, width, height, seq: ++seq }));
        return (await seen(page, 'labels')).length > 0 && seq > before + 5;
      });
      return page.evaluate(() => new Promise((/** @type {(box: number[]) => void} */ resolve) =>
        requestAnimationFrame(() => {
        const overlay = /** @type {HTMLCanvasElement} */ (
          document.querySelector('mindflow-live')?.shadowRoot?.querySelector('.overlay'));
        const { data, width: across } = /** @type {CanvasRenderingContext2D} */ (overlay.getContext('2d')).getImageData(
          0, 0, overlay.width, overlay.height);
        let [left, top, right] = [Infinity, Infinity, -1];
        for (let i = 3; i < data.length; i += 4) {
          if (data[i] < 128) continue;
          const [px, py] = [((i - 3) / 4) % across, Math.floor((i - 3) / 4 / across)];
          [left, right, top] = [Math.min(left, px), Math.max(right, px), Math.min(top, py)];
        }
        resolve([left / across, right / across, top / overlay.height]);
      })));
    };
    for (const [width, height] of [[480, 640], [640, 480], [480, 640]]) {
      const [left, right] = await shown(width, height);
      assert.ok(Math.abs(left - x) < 0.03, `${width}x${height}: its left is at ${left}, not ${x}`);
      assert.ok(right >= x + w - 0.03,
        `${width}x${height}: its right is at ${right}, not ${x + w} or, with its text, beyond; its top ${y}`);
      await screenshot(page, `turned-${width}x${height}`);
    }
    await page.close();
  });

  test('a camera that saves power is read as slowly, and nothing is taken for broken', async () => {
    const page = await live(() => {
      const { getUserMedia } = MediaDevices.prototype;
      navigator.mediaDevices.getUserMedia = async (how) => {
        const stream = await Reflect.apply(getUserMedia, navigator.mediaDevices, [how]);
        await stream.getVideoTracks()[0].applyConstraints({ frameRate: 5 });
        return stream;
      };
      const { requestVideoFrameCallback: ask } = HTMLVideoElement.prototype;
      HTMLVideoElement.prototype.requestVideoFrameCallback = function (/** @type {VideoFrameRequestCallback} */ done) {
        return Reflect.apply(ask, this, [(/** @type {number} */ now, /** @type {VideoFrameCallbackMetadata} */ about) =>
          setTimeout(done, 400, now, about)]);
      };
    });
    const message = JSON.parse(golden('labels-one-face.json'));
    let seq = 0;
    // as a server would that gets as little
    const timer = setInterval(() => void other.send('labels', JSON.stringify({ ...message, seq: ++seq })), 500);
    try {
      await waitLabels(page, 10);
      await waitInside(page, '.reading-label', 'Happy');
      await waitInside(page, '.note[hidden]');
    } finally {
      clearInterval(timer);
    }
    assert.deepEqual((await states(page)).slice(-1), ['live']);
    assert.deepEqual(server.requests.filter((r) => r.startsWith('PATCH')).length <= 20, true);
    await page.close();
  });

  test('a picture that the phone does not play by itself asks to be tapped', async () => {
    const page = await live(() => {
      const { play } = HTMLMediaElement.prototype;
      HTMLMediaElement.prototype.play = function () { // as Safari does in low-power mode
        if (navigator.userActivation.isActive && /** @type {any} */ (window).tapping) {
          return Reflect.apply(play, this, []);
        }
        this.autoplay = false;
        this.pause();
        return Promise.reject(new DOMException('The request is not allowed by the user agent', 'NotAllowedError'));
      };
    });
    await waitInside(page, '.tap', 'Your device saves power: tap to see the picture');
    await audit(page, 'tap');
    await screenshot(page, 'tap');
    const paused = () => page.$eval('mindflow-live >>> video', (v) => /** @type {HTMLVideoElement} */ (v).paused);
    assert.equal(await paused(), true);
    await until(async () => (await other.frames()) > 0); // it is sent all the same
    await page.evaluate(() => { /** @type {any} */ (window).tapping = true; });
    await press(page, '.tap');
    await until(async () => !(await paused()));
    // it goes when the picture plays, a moment after that is begun
    await until(async () => (await page.$('mindflow-live >>> .tap')) === null);
    await page.close();
  });

  test('with a battery that is nearly empty it sends fewer pictures, and as many as before when that is charged',
    async () => {
    const page = await live(() => {
      const battery = Object.assign(new EventTarget(), { charging: false, level: 0.15 });
      Object.assign(Navigator.prototype, { getBattery: async () => battery });
      const { setParameters } = RTCRtpSender.prototype;
      Object.assign(window, { battery, rates: [] });
      RTCRtpSender.prototype.setParameters = function (/** @type {RTCRtpSendParameters} */ parameters) {
        /** @type {any} */ (window).rates.push(parameters.encodings[0].maxFramerate ?? 'any');
        return Reflect.apply(setParameters, this, [parameters]);
      };
    });
    const last = () => page.evaluate(() => /** @type {any} */ (window).rates.at(-1));
    await until(async () => (await last()) === 10);
    await page.evaluate(() => {
      const { battery } = /** @type {any} */ (window);
      battery.charging = true;
      battery.dispatchEvent(new Event('chargingchange'));
    });
    await until(async () => (await last()) !== 10);
    await page.close();
  });
});
