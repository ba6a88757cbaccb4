// The program under a path prefix, behind the proxies that Debian has, each with its sample of docs/deploy and with the
// header Host as it is often set, without the port.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { CHROMIUM, freePort, launch, makeCamera, openPage, press, startServer, until, waitLabels } from './driver.js';
import { aClip, root } from './truth.js';

const binary = path.join(root, 'bin/mindflow');
const skip = !existsSync(CHROMIUM) ? `no Chromium at ${CHROMIUM}; set CHROMIUM` : !existsSync(binary)
  ? 'no bin/mindflow; run make build' : false;

/**
 * A proxy, and what its sample needs to run in a folder, on plain HTTP at a port.
 * @typedef {object} Proxy
 * @property {string} program
 * @property {string} sample of docs/deploy
 * @property {[string | RegExp, string][]} local what to replace; PORT is the port
 * @property {[string, string]} naive makes Host lack its port
 * @property {(file: string, folder: string) => string[]} args
 */

/** @type {Proxy[]} */
const PROXIES = [
  {
    program: '/usr/sbin/nginx', sample: 'nginx.conf',
    local: [['listen 443 ssl;', 'listen 127.0.0.1:PORT;'], [/ *ssl_certificate.*\n/g, ''],
      ['server {', 'events {}\npid FOLDER/pid;\nhttp {\naccess_log off;\nclient_body_temp_path FOLDER/body;\n'
        + 'proxy_temp_path FOLDER/proxy;\nfastcgi_temp_path FOLDER/fastcgi;\nuwsgi_temp_path FOLDER/uwsgi;\n'
        + 'scgi_temp_path FOLDER/scgi;\nserver {'], [/$/, '}\n']],
    naive: ['Host $http_host;   #', 'Host $host;   #'],
    args: (file, folder) => ['-e', 'stderr', '-p', folder, '-c', file, '-g', 'daemon off;'],
  },
  {
    program: '/usr/bin/caddy', sample: 'Caddyfile',
    local: [['site.example {', '{\n\tadmin off\n}\nhttp://localhost:PORT {']],
    naive: ['reverse_proxy 127.0.0.1:', 'reverse_proxy {\n\t\t\theader_up Host {host}\n'
      + '\t\t\theader_up -X-Forwarded-Host\n\t\t\tto 127.0.0.1:'],
    args: (file) => ['run', '--config', file, '--adapter', 'caddyfile'],
  },
  {
    program: '/usr/sbin/haproxy', sample: 'haproxy.cfg',
    local: [[/bind :443 .*/, 'bind 127.0.0.1:PORT']],
    naive: ['option forwardfor', 'option forwardfor\n    http-request set-header Host %[req.hdr(host),field(1,:)]'],
    args: (file) => ['-f', file],
  },
];

/** Where make unpacks a program. @param {string} program */
const unpacked = (program) => path.join(root, '.cache/proxies', program);

for (const proxy of PROXIES) for (const naive of [false, true]) {
  const name = `${path.basename(proxy.program)}${naive ? ', Host without its port' : ''}`;
  const missing = existsSync(unpacked(proxy.program)) ? skip : `no ${proxy.program}; make .cache/proxies unpacks it`;
  describe(name, { skip: missing, timeout: 540_000 }, () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'mindflow-proxy-'));
    /** @type {string} the site's address */
    let site;
    /** @type {string} Mindflow's address */
    let base;
    /** @type {Awaited<ReturnType<typeof startServer>>} */
    let server;
    /** @type {import('node:child_process').ChildProcess} */
    let running;
    /** @type {import('puppeteer-core').Browser} */
    let browser;

    before(async () => {
      const [port, inside, media] = [await freePort(), await freePort(), await freePort()];
      [site, base] = [`http://localhost:${port}`, `http://localhost:${port}/faces/`];
      server = await startServer(binary, ['serve', '--listen', `127.0.0.1:${inside}`, '--media', `127.0.0.1:${media}`,
        ...(naive ? [] : ['--trusted-proxy', '127.0.0.1'])], `http://127.0.0.1:${inside}`);
      let config = readFileSync(path.join(root, 'docs/deploy', proxy.sample), 'utf8');
      const replace = (/** @type {string | RegExp} */ what, /** @type {string} */ by) => {
        const before = config;
        config = config.replace(what, () => by);
        assert.notEqual(config, before, `no ${what} in ${proxy.sample}`);
      };
      for (const [what, by] of proxy.local) replace(what, by);
      if (naive) replace(...proxy.naive);
      config = config.replaceAll('PORT', String(port)).replaceAll('FOLDER', folder)
        .replaceAll('127.0.0.1:8080', `127.0.0.1:${inside}`);
      if (naive && proxy.sample === 'Caddyfile') config = config.replace(`to 127.0.0.1:${inside}`, '$&\n\t\t}');
      const file = path.join(folder, proxy.sample);
      writeFileSync(file, config);
      let said = '';
      running = spawn(unpacked(proxy.program), proxy.args(file, folder), { stdio: ['ignore', 'pipe', 'pipe'],
        env: { ...process.env, HOME: folder } });
      for (const stream of [running.stdout, running.stderr]) stream?.on('data', (chunk) => { said += chunk; });
      await until(async () => {
        assert.equal(running.exitCode, null, said);
        return fetch(`${base}healthz`).then((r) => r.ok, () => false);
      });
      browser = await launch({ camera: await makeCamera(await aClip(),
        { width: 640, height: 480, fps: 30, seconds: 5 }) });
    });
    after(async () => {
      await browser?.close();
      if (running?.exitCode === null) {
        running.kill('SIGTERM');
        await once(running, 'exit');
      }
      await server?.stop();
      rmSync(folder, { recursive: true });
    });

    /**
     * Notes the requests of a page.
     * @param {import('puppeteer-core').Page} page
     * @returns {{all: string[], deleted: () => Promise<void>}} deleted waits until a session was ended by DELETE
     */
    function note(page) {
      /** @type {string[]} */
      const all = [];
      let ended = false;
      page.on('response', (response) => {
        all.push(response.url());
        ended ||= response.request().method() === 'DELETE' && response.url().startsWith(`${base}sessions/`)
          && [200, 404].includes(response.status()); // 404 where the connection's end came first
      });
      return { all, deleted: () => until(() => ended) };
    }

    test('the page, and the page that watches it', async () => {
      assert.equal((await fetch(`${site}/faces`)).url, base);
      const page = await openPage(browser, base);
      const { all, deleted } = note(page);
      await press(page, '.card-button');
      await waitLabels(page, 2);
      assert.equal(await page.$('#missing'), null);
      const session = await page.$eval('mindflow-live',
        (el) => /** @type {import('../../live/element.js').MindflowLive} */ (el).session);
      const viewer = await browser.newPage();
      await viewer.goto(`${base}watch/${session}`);
      await viewer.waitForSelector('#faces .label');
      assert.equal(await viewer.$eval('.brand', (a) => /** @type {HTMLAnchorElement} */ (a).href), base);
      await viewer.close();
      await press(page, '.stop');
      await deleted();
      assert.deepEqual(all.filter((url) => url.startsWith(site) && !url.startsWith(base)), []);
      await page.close();
    });

    test('the connection test', async () => {
      const page = await openPage(browser, base);
      const { deleted } = note(page);
      await Promise.all([page.waitForNavigation(), page.click('footer a[href="selftest"]')]);
      await page.click('#run');
      await page.waitForSelector('#report:not([hidden])');
      assert.match(await page.$eval('#verdict', (el) => el.textContent ?? ''), /It works, by UDP/);
      assert.match(await page.$eval('#checks li', (el) => el.textContent ?? ''), /ready/);
      assert.equal(await page.$('#missing'), null);
      await deleted();
      await page.close();
    });

    for (const [what, body] of [
      ['the element', '<script type="module" src="/faces/mindflow.js"></script><mindflow-live></mindflow-live>'],
      ['a frame', '<script type="module" src="/faces/frame.js"></script>'
        + '<iframe src="/faces/embed" allow="camera"></iframe>'],
    ]) {
      test(`${what} in a page of the same site`, async () => {
        const page = await openPage(browser, 'about:blank');
        const { deleted } = note(page);
        await page.setRequestInterception(true);
        page.on('request', (request) => void (request.url() === `${site}/shop`
          ? request.respond({ contentType: 'text/html', body: `<!doctype html>${body}` }) : request.continue()));
        await page.goto(`${site}/shop`);
        const inner = page.frames().at(-1) ?? page.mainFrame(); // the page's own where there is no other
        await inner.locator('mindflow-live >>> .card-button').click();
        await waitLabels(page, 2);
        await inner.locator('mindflow-live >>> .stop').click();
        await deleted();
        await page.close();
      });
    }

    test('mindflow camera --publish', async () => {
      const deleted = () => (server.log().match(/session ended.* why=deleted/g) ?? []).length;
      const before = deleted();
      const camera = spawn(binary, ['camera', '--publish', base, '--synthetic'], { stdio: ['ignore', 'pipe', 'pipe'] });
      let said = '';
      for (const stream of [camera.stdout, camera.stderr]) stream.on('data', (chunk) => { said += chunk; });
      await until(() => {
        assert.equal(camera.exitCode, null, said);
        return /publishing to .*\/faces\/whip/.test(said);
      });
      camera.kill('SIGINT');
      await once(camera, 'exit');
      await until(() => deleted() > before);
    });

    test('another site is refused', async () => {
      for (const [name, value] of [['Accept', '*/*'], ['X-Forwarded-Host', 'stranger.example'],
        ['Forwarded', 'host=stranger.example']]) {
        const headers = { 'Content-Type': 'application/sdp', Origin: 'https://stranger.example', [name]: value };
        const response = await fetch(`${base}whip`, { method: 'POST', body: 'v=0', headers });
        assert.equal(response.status, 403, name);
      }
    });
  });
}

describe('files that do not arrive', { skip, timeout: 360_000 }, () => {
  test('the pages say so', async () => {
    const [port, media] = [await freePort(), await freePort()];
    const base = `http://localhost:${port}`;
    const server = await startServer(binary, ['serve', '--listen', `127.0.0.1:${port}`, '--media', `:${media}`], base);
    const browser = await launch();
    try {
      for (const name of ['', 'selftest', 'embed', 'watch/x']) {
        const page = await openPage(browser, 'about:blank');
        await page.setRequestInterception(true);
        let blocked = true;
        page.on('request', (request) => void (blocked && request.url().endsWith('.js')
          ? request.respond({ status: 403 }) : request.continue()));
        await page.goto(`${base}/${name}`);
        const shown = () => page.$eval('#missing', (el) => getComputedStyle(el).visibility === 'visible'
          && el.getBoundingClientRect().height > 20);
        assert.equal(await shown(), false, `/${name}: at once`);
        await until(shown);
        blocked = false;
        await page.reload();
        await until(async () => await page.$('#missing') === null);
        await page.close();
      }
    } finally {
      await browser.close();
      await server.stop();
    }
  });
});
