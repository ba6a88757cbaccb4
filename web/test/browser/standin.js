// Stands in for the server where a test needs what a real one does not do on demand: refuse, fall
// silent, say an unknown version, say goodbye. The other end of the connection is real WebRTC, in a
// second page of the same browser.

import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

const web = path.join(import.meta.dirname, '../..');
/** @type {Record<string, string>} */
const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' };
const POLICY = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
  + "media-src 'self' blob:; connect-src 'self'";

/** @typedef {(body: string, response: import('node:http').ServerResponse) => unknown} Whip answers a POST */

/**
 * Serves web/ as the Go server does.
 * @param {Whip} whip
 */
export async function serve(whip) {
  /** @type {string[]} */
  const requests = [];
  const handler = { whip, waiting: '' };
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://standin');
    if (request.method !== 'GET') requests.push(`${request.method} ${pathname}`);
    let body = '';
    for await (const chunk of request) body += chunk;
    if (request.method === 'POST' && pathname === '/whip') return handler.whip(body, response);
    if (pathname === '/waiting' && handler.waiting) {
      return response.setHeader('Content-Type', 'application/json').end(handler.waiting);
    }
    if (pathname.startsWith('/sessions/')) return response.writeHead(request.method === 'PATCH' ? 204 : 200).end();
    await file(pathname === '/' ? '/index.html' : pathname, response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  return {
    url: `http://localhost:${port}/`,
    port,
    requests, // all that were not GET
    handler, // its whip may be replaced; waiting: its answer to a queued visitor
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** @type {Promise<Map<string, Buffer>> | undefined} */
let site;

/** The files that the Go server serves, by their names: bundled as web/site.go does, with the same esbuild. */
async function pack() {
  const folder = await mkdtemp(path.join(tmpdir(), 'mindflow-site-'));
  try {
    const entries = JSON.parse(await readFile(path.join(web, 'entries.json'), 'utf8'));
    await promisify(execFile)('go', ['run', 'github.com/evanw/esbuild/cmd/esbuild', ...entries, '--bundle',
      '--splitting', '--format=esm', '--target=es2022',
      '--entry-names=[name]', '--chunk-names=part-[hash]', `--outdir=${folder}`], { cwd: web });
    const names =
      (await Promise.all([folder, path.join(web, 'pages')]
      .map(async (from) => (await readdir(from)).map((name) => path.join(from, name))))).flat();
    const files = names.filter((name) => name.startsWith(folder) || !name.endsWith('.js'));
    return new Map(
      await Promise.all(files.map(async (name) => /** @type {const} */ ([path.basename(name), await readFile(name)]))));
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** @param {string} pathname @param {import('node:http').ServerResponse} response */
async function file(pathname, response) {
  const data = (await (site ??= pack())).get(pathname.slice(1));
  if (data) {
    response.writeHead(200, {
      'Content-Type': TYPES[path.extname(pathname)] ?? 'application/octet-stream',
      'Content-Security-Policy': POLICY,
      Server: 'mindflow/test',
    }).end(data);
  } else {
    response.writeHead(404).end();
  }
}

/**
 * An answer that refuses.
 * @param {number} status
 * @param {string} detail
 * @param {Record<string, string>} [headers]
 * @param {string} [type] of the problem
 * @param {object} [more] fields of it
 * @returns {Whip}
 */
export function refuse(status, detail, headers = {}, type = 'about:blank', more = {}) {
  return (_, response) => {
    response.writeHead(status, { 'Content-Type': 'application/problem+json', ...headers });
    response.end(JSON.stringify({ type, title: 'refused', status, detail, ...more }));
  };
}

/**
 * An answer that has newcomers wait in turn.
 * @param {number} ahead people who come before
 * @param {number} [seconds] after which to ask again
 */
export const queue = (ahead, seconds = 30) => refuse(503, 'all 8 places are taken',
  { 'Retry-After': String(seconds), 'Mindflow-Ticket': 'a-ticket' },
  'urn:mindflow:waiting', { ahead, waiting: ahead + 4 });

/**
 * Makes a page of the browser the other end.
 * @param {import('puppeteer-core').Browser} browser
 */
export async function peer(browser) {
  const page = await browser.newPage();
  await page.evaluate(install);
  const whip = async (/** @type {string} */ offer, /** @type {import('node:http').ServerResponse} */ response) => {
    const sdp = await page.evaluate((o) => /** @type {any} */ (window).answer(o), offer);
    response.writeHead(201, { 'Content-Type': 'application/sdp', Location: '/sessions/s1', ETag: '"1"' }).end(sdp);
  };
  const call = (/** @type {string} */ name, /** @type {any[]} */ ...args) => page.evaluate(
    (n, a) => /** @type {any} */ (window)[n](...a), name, args,
  );
  return {
    whip,
    /**
     * Sends a text on a channel of the newest connection.
     * @param {'labels' | 'control'} channel
     * @param {string} message
     */
    send: (channel, message) => call('send', channel, message),
    /** What came on `control`. @returns {Promise<string[]>} */
    received: () => call('received'),
    /** The same, whole. @returns {Promise<any[]>} */
    requests: () => call('requests'),
    /**
     * Says something else than "ok" to requests of a type, in the newest connection.
     * @param {string} type
     * @param {string} message
     */
    reply: (type, message) => call('reply', type, message),
    /** Frames that arrived. @returns {Promise<number>} */
    frames: () => call('frames'),
    /** The size of the frames that arrive: "1280x720". @returns {Promise<string>} */
    size: () => call('size'),
    /** Ends the connection without a word. */
    hangUp: () => call('hangUp'),
  };
}

/** Runs in the stand-in's page. */
function install() {
  /** @type {RTCPeerConnection} */
  let pc;
  /** @type {Record<string, RTCDataChannel>} */
  let channels = {};
  /** @type {string[]} */
  let inbox = [];
  /** @type {any[]} */
  let whole = [];
  /** @type {Record<string, string>} by type of request */
  let instead = {};
  const answer = async (/** @type {string} */ sdp) => {
    pc = new RTCPeerConnection();
    channels = {};
    inbox = [];
    whole = [];
    instead = {};
    pc.ondatachannel = ({ channel }) => {
      channels[channel.label] = channel;
      channel.onmessage = ({ data }) => {
        const { type, id } = JSON.parse(data);
        inbox.push(type);
        whole.push(JSON.parse(data));
        channel.send(instead[type] ?? JSON.stringify({ v: 1, type: 'ok', id }));
      };
    };
    await pc.setRemoteDescription({ type: 'offer', sdp });
    await pc.setLocalDescription();
    while (pc.iceGatheringState !== 'complete') {
      await new Promise((resolve) => { pc.onicegatheringstatechange = resolve; });
    }
    return pc.localDescription?.sdp;
  };
  const send = async (/** @type {string} */ name, /** @type {string} */ message) => {
    while (channels[name]?.readyState !== 'open') await new Promise((resolve) => setTimeout(resolve, 20));
    channels[name].send(message);
  };
  const frames = async () => {
    let n = 0;
    for (const s of (await pc.getStats()).values()) if (s.type === 'inbound-rtp') n += s.framesReceived ?? 0;
    return n;
  };
  const size = async () => {
    for (const s of (await pc.getStats()).values()) if (
      s.type === 'inbound-rtp') return `${s.frameWidth}x${s.frameHeight}`;
    return '';
  };
  const reply = (/** @type {string} */ type, /** @type {string} */ message) => { instead[type] = message; };
  Object.assign(window, { answer, send, reply, frames, size, received: () => inbox, requests: () => whole,
    hangUp: () => pc.close() });
}
