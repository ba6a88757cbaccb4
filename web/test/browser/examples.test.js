// The examples of docs/ that need more than a page: React, and backends that lend tokens, against a server that demands
// them.

import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { CHROMIUM, PATIENCE, freePort, launch, makeCamera, openPage, press, seen, startServer, text, until, waitLabels,
  waitState } from './driver.js';
import { aClip, root } from './truth.js';

const binary = path.join(root, 'bin/mindflow');
const skip = !existsSync(CHROMIUM) ? `no Chromium at ${CHROMIUM}; set CHROMIUM` : !existsSync(binary)
  ? 'no bin/mindflow; run make build' : false;
const examples = path.join(root, 'docs/examples');
const run = promisify(execFile);

describe('examples', { skip, timeout: 720_000 }, () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'mindflow-examples-'));
  const key = path.join(folder, 'signing-key.json');
  /** @type {string} the server's own */
  let base;
  /** @type {number[]} of the three websites */
  let ports;
  /** @type {Awaited<ReturnType<typeof startServer>>} */
  let server;
  /** @type {import('puppeteer-core').Browser} */
  let browser;

  before(async () => {
    const [port, media, ...rest] = await Promise.all(Array.from({ length: 5 }, freePort));
    base = `http://localhost:${port}`;
    ports = rest;
    await run(binary, ['token', 'key', key]);
    writeFileSync(path.join(folder, 'public.json'), (await run(binary, ['token', 'public', key])).stdout);
    server = await startServer(binary, ['serve', '--listen', `127.0.0.1:${port}`, '--media', `:${media}`, '--jwt-keys',
      path.join(folder, 'public.json'),
      '--jwt-audience', 'faces.example', '--allow-origin', ports.map(site).join(',')], base);
    browser = await launch({ camera: await makeCamera(await aClip(),
      { width: 640, height: 480, fps: 30, seconds: 5 }) });
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
    rmSync(folder, { recursive: true });
  });

  const site = (/** @type {number} */ port) => `http://localhost:${port}`;

  /**
   * Copies an example beside the key, with this server and site in the place of those that it names.
   * @param {string} name
   * @param {number} port
   */
  function copy(name, port) {
    const to = path.join(folder, path.basename(name));
    copyFileSync(path.join(examples, name), to);
    writeFileSync(to, readFileSync(to, 'utf8').replaceAll('https://YOUR-HOST', base)
      .replaceAll('https://shop.example', site(port)));
    return to;
  }

  for (const [name, file, i,
    command] of /** @type {[string, string, number, (file: string) => Promise<[string, string[]]>][]} */ ([
    ['Go', 'backend.go', 0, async (source) => {
      const made = path.join(folder, 'backend');
      await run('go', ['build', '-o', made, source], { cwd: root }); // where its library is
      return [made, []];
    }],
    ['Node', 'backend.mjs', 1, async (source) => [process.execPath, [source]]],
  ])) {
    test(`token.html with a backend in ${name}: its visitors get in, and nobody else`, async () => {
      const port = ports[i];
      copy('token.html', port);
      const [program, args] = await command(copy(`backend/${file}`, port));
      const backend = spawn(program, args, { cwd: folder, env: { ...process.env, PORT: String(port) },
        stdio: 'inherit' });
      const ended = once(backend, 'exit');
      try {
        await until(() => fetch(site(port)).then((r) => r.ok, () => false));
        const page = await openPage(browser, site(port));
        await press(page, '.card-button');
        await waitState(page, 'live');
        await waitLabels(page, 3);
        assert.deepEqual(await seen(page, 'errors'), []);
        await press(page, '.stop');
        await waitState(page, 'stopped');
        backend.kill();
        await ended;
        await press(page, '.card-button');
        await waitState(page, 'failed', 'unauthorized'); // no token is to be had
        assert.equal(await text(page, '.card-title'), 'This server asks for a token');
        await page.close();
      } finally {
        backend.kill();
        await ended;
      }
    });
  }

  for (const [name, page] of [['README.md', ''], ['docs/getting-started.md', 'a whole page']]) {
    test(`an empty file with the lines of ${name}, and nothing else`, async () => {
      const script = /<script type="module" src="[^"]*\/mindflow.js"><\/script>/.source;
      const block = new RegExp(`\`\`\`html\n((?:<!doctype html>\n)?${script}\n<mindflow-live.*\n)\`\`\``);
      const lines = block.exec(readFileSync(path.join(root, name), 'utf8'));
      assert.ok(lines, 'it has no such lines');
      assert.equal(lines[1].startsWith('<!doctype'), page !== '');
      const site = createServer((_, response) => {
        response.setHeader('Content-Type', 'text/html').end(lines[1]
          .replaceAll(/https:\/\/YOUR-HOST|http:\/\/localhost:8080/g, base));
      }).listen(ports[2], '127.0.0.1');
      await once(site, 'listening');
      try {
        const opened = await openPage(browser, `http://localhost:${ports[2]}`);
        await opened.$eval('mindflow-live',
          (el, token) => { /** @type {import('../../live/element.js').MindflowLive} */ (el).token = token; },
          // this server asks for one
          (await run(binary, ['token', 'sign', key, '--aud', 'faces.example'])).stdout.trim());
        await press(opened, '.card-button');
        await waitState(opened, 'live');
        await waitLabels(opened, 3);
        await opened.close();
      } finally {
        site.closeAllConnections();
        site.close();
        await once(site, 'close');
      }
    });
  }

  test('a frame gets its token from the page around it, as docs/embedding.md has it', async () => {
    const text = readFileSync(path.join(root, 'docs/embedding.md'), 'utf8');
    const blocks = [...text.matchAll(/```html\n([^`]*)```/g)].map(([, lines]) => lines);
    const lines = blocks.filter((block) => /<iframe|mindflow-token'/.test(block));
    assert.equal(lines.length, 2);
    let given = 'one-that-is-not-good';
    const around = createServer((request, response) => {
      if (request.url === '/my-mindflow-token') return response.end(given);
      response.setHeader('Content-Type', 'text/html').end(lines.join('').replaceAll('https://YOUR-HOST', base));
    }).listen(ports[2], '127.0.0.1');
    await once(around, 'listening');
    try {
      const page = await openPage(browser, site(ports[2]));
      await until(() => page.frames().length === 2);
      const start = () => page.frames()[1].locator('mindflow-live >>> .card-button').click();
      await start();
      await waitState(page, 'failed', 'unauthorized');
      given = (await run(binary, ['token', 'sign', key, '--aud', 'faces.example'])).stdout.trim();
      await page.reload({ waitUntil: 'load' });
      await start();
      await waitState(page, 'live');
      await waitLabels(page, 3);
      await page.close();
    } finally {
      around.closeAllConnections();
      around.close();
      await once(around, 'close');
    }
  });

  test('react.jsx: properties, events, and a component that goes leaves nothing behind', async () => {
    const port = ports[2];
    copy('react.jsx', port);
    const { stdout: bundle } = await bundled(`
      import { StrictMode } from 'react';
      import { createRoot } from 'react-dom/client';
      import { Mindflow } from '${path.join(folder, 'react.jsx')}';
      const root = createRoot(document.querySelector('main'));
      window.leave = () => root.unmount();
      root.render(<StrictMode><Mindflow token={async () => (await fetch('/token')).text()} /></StrictMode>);
    `);
    const pages = createServer(async (request, response) => {
      if (request.url === '/app.js') return response.setHeader('Content-Type', 'text/javascript').end(bundle);
      if (request.url === '/token') {
        const signed = await run(binary, ['token', 'sign', key, '--aud', 'faces.example', '--for', '5m']);
        return response.end(signed.stdout);
      }
      response.setHeader('Content-Type', 'text/html').end('<!doctype html><html lang="en"><title>React</title>'
        + '<main></main><script type="module" src="/app.js"></script>');
    }).listen(port, '127.0.0.1');
    await once(pages, 'listening');
    try {
      const page = await openPage(browser, site(port));
      await press(page, '.card-button');
      await waitState(page, 'live');
      await page.waitForFunction(() => /^\w+$/.test(document.querySelector('main > p')?.textContent ?? ''),
        { timeout: PATIENCE });
      const maxFaces = await page.$eval('mindflow-live',
        (el) => /** @type {import('../../live/element.js').MindflowLive} */ (el).maxFaces);
      assert.equal(maxFaces, 3);
      const track = await page.$eval('mindflow-live >>> video', (v) => {
        const stream = /** @type {MediaStream} */ (/** @type {HTMLVideoElement} */ (v).srcObject);
        return void Object.assign(window, { track: stream.getVideoTracks()[0] });
      });
      assert.equal(track, undefined);
      await page.evaluate(() => /** @type {any} */ (window).leave());
      await until(() => page.evaluate(() => {
        const { track, seen } = /** @type {any} */ (window);
        return track.readyState === 'ended' && seen.pending() === 0;
      }));
      assert.deepEqual(await seen(page, 'errors'), []);
      await page.close();
    } finally {
      pages.closeAllConnections();
      pages.close();
    }
  });
});

/** What a bundler makes of a module: that of the server, which go.mod pins. @param {string} source */
function bundled(source) {
  const made = run('go', ['run', 'github.com/evanw/esbuild/cmd/esbuild', '--bundle', '--format=esm', '--jsx=automatic',
    '--loader=jsx', '--define:process.env.NODE_ENV="development"'], {
    cwd: root, maxBuffer: 1 << 26, env: { ...process.env, NODE_PATH: path.join(root, 'node_modules') },
  });
  made.child.stdin?.end(source);
  return made;
}
