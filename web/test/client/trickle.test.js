import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { afterEach, beforeEach, test } from 'node:test';
import { Failure } from '../../client/states.js';
import { Trickle } from '../../client/trickle.js';
import { publish } from '../../client/whip.js';

/** @param {string} ufrag */
const sdp = (ufrag) => ['v=0', 's=-', 't=0 0', 'm=video 9 UDP/TLS/RTP/SAVPF 96', `a=ice-ufrag:${ufrag}`,
  `a=ice-pwd:of-${ufrag}`, 'a=mid:0', ''].join('\r\n');
const candidate = (/** @type {number} */ n) =>
  ({ candidate: `candidate:${n} 1 udp 1 192.0.2.${n} 9 typ host`, sdpMid: '0' });

/** Stands in for the browser's connection, whose searches find what the test says. */
class Connection extends EventTarget {
  searches = 0;
  /** @type {any} */
  localDescription = { type: 'offer', sdp: sdp('ours0') };
  /** @type {any[]} */
  answers = [];
  found = () => {}; // while a search begins

  /** @param {any} options */
  async createOffer(options) {
    assert.deepEqual(options, { iceRestart: true });
    return { type: 'offer', sdp: sdp(`ours${++this.searches}`) };
  }

  /** @param {any} offer */
  async setLocalDescription(offer) {
    this.localDescription = offer;
    this.found();
  }

  /** @param {any} answer */
  async setRemoteDescription(answer) {
    this.answers.push(answer);
  }

  /** @param {ReturnType<typeof candidate> | null} c */
  find(c) {
    this.dispatchEvent(Object.assign(new Event('icecandidate'), { candidate: c }));
  }
}

/** @type {import('node:http').Server} */
let server;
/** @type {{tag: string | undefined, ufrag: string, candidates: number}[]} */
let patches;
/** What the server answers to PATCH. @type {(n: number, response: import('node:http').ServerResponse) => void} */
let answer;
/** @type {Connection} */
let pc;
/** @type {Trickle} */
let trickle;
/** @type {AbortController} */
let life;
let told = () => {}; // of each PATCH

beforeEach(async () => {
  patches = [];
  pc = new Connection();
  life = new AbortController();
  server = createServer(async (request, response) => {
    if (request.method === 'POST') {
      return response.writeHead(201, { Location: '/sessions/a1', ETag: '"e0"' }).end(sdp('theirs0'));
    }
    let body = '';
    for await (const chunk of request) body += chunk;
    patches.push({ tag: request.headers['if-match'], ufrag: body.match(/ice-ufrag:(.*)\r/)?.[1] ?? '',
      candidates: body.split('a=candidate').length - 1 });
    answer(patches.length, response);
    told();
    return undefined;
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  const resource = await publish(`http://127.0.0.1:${port}/whip`, sdp('ours0'), life.signal);
  trickle = new Trickle(/** @type {any} */ (pc), resource, life.signal);
});

afterEach(async () => {
  life.abort();
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
});

const fragment = 'a=ice-ufrag:theirs1\r\na=ice-pwd:of-theirs1\r\nm=video 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\n'
  + 'a=candidate:9 1 udp 1 192.0.2.9 9 typ host\r\na=end-of-candidates\r\n';

/** Until the server was sent so many. @param {number} n */
async function sent(n) {
  while (patches.length < n) await new Promise((/** @type {(v: void) => void} */ resolve) => { told = resolve; });
}

test('a restart tells the new credentials first and its candidates after the answer, under its tag', async () => {
  pc.found = () => {
    pc.find(candidate(1));
    pc.find(null);
  };
  answer = (n, response) => {
    if (n === 1) response.writeHead(200, { ETag: '"e1"' }).end(fragment);
    else response.writeHead(204).end();
  };
  await trickle.restart(life.signal);
  await sent(2);
  assert.deepEqual(patches, [{ tag: '"e0"', ufrag: 'ours1', candidates: 0 },
    { tag: '"e1"', ufrag: 'ours1', candidates: 1 }]);
  assert.equal(pc.answers.length, 1);
  assert.match(pc.answers[0].sdp, /a=ice-ufrag:theirs1\r\na=ice-pwd:of-theirs1\r\na=mid:0\r\na=candidate:9 /);
});

test('a restart that failed is made anew, and what was found by the first is not told', async () => {
  pc.found = () => pc.find(candidate(pc.searches));
  answer = (n, response) => {
    if (n === 1) response.destroy();
    else if (n === 2) response.writeHead(200, { ETag: '"e1"' }).end(fragment);
    else response.writeHead(204).end();
  };
  await assert.rejects(trickle.restart(life.signal));
  await trickle.restart(life.signal);
  await sent(3);
  assert.deepEqual(patches.map(({ tag, ufrag, candidates }) => [tag, ufrag, candidates]),
    [['"e0"', 'ours1', 0], ['"e0"', 'ours2', 0], ['"e1"', 'ours2', 1]]);
});

test('a restart goes on where the answer to the last did not come', async () => {
  answer = (n, response) => {
    if (n === 1) response.writeHead(412).end();
    else response.writeHead(200, { ETag: '"e2"' }).end(fragment);
  };
  await trickle.restart(life.signal);
  assert.deepEqual(patches.map(({ tag, ufrag }) => [tag, ufrag]), [['"e0"', 'ours1'], ['*', 'ours1']]);
});

test('a session that has ended is told from a refusal', async () => {
  for (const [status, reason] of [[404, 'lost'], [429, 'refused']]) {
    answer = (_, response) => response.writeHead(Number(status)).end();
    await assert.rejects(trickle.restart(life.signal), (error) => error instanceof Failure && error.reason === reason);
  }
});
