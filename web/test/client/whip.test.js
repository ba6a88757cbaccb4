import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { test } from 'node:test';
import { iceServers } from '../../client/links.js';
import { applyIceRestart, sdpFragment } from '../../client/sdpfrag.js';
import { Failure } from '../../client/states.js';
import { publish } from '../../client/whip.js';

const OFFER = [
  'v=0', 'o=- 1 2 IN IP4 127.0.0.1', 's=-', 't=0 0', 'a=group:BUNDLE 0 1',
  'm=video 9 UDP/TLS/RTP/SAVPF 96', 'c=IN IP4 0.0.0.0', 'a=ice-ufrag:EsAw', 'a=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1',
    'a=mid:0',
  'm=application 9 UDP/DTLS/SCTP webrtc-datachannel', 'a=ice-ufrag:EsAw', 'a=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1',
    'a=mid:1', '',
].join('\r\n');

const HOST = { candidate: 'candidate:1 1 udp 2122260223 192.0.2.1 61764 typ host', sdpMid: '0' };
const MAPPED = { candidate: 'candidate:2 1 udp 1686052607 203.0.113.5 61764 typ srflx', sdpMid: '0' };

test('a fragment announces candidates under their section', () => {
  assert.equal(sdpFragment(OFFER, [HOST, MAPPED], false), [
    'a=group:BUNDLE 0 1', 'a=ice-ufrag:EsAw', 'a=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1',
    'm=video 9 UDP/TLS/RTP/SAVPF 96', 'a=mid:0', `a=${HOST.candidate}`, `a=${MAPPED.candidate}`, '',
  ].join('\r\n'));
});

test('a fragment can say only that there are no more', () => {
  assert.equal(sdpFragment(OFFER, [], true), [
    'a=group:BUNDLE 0 1', 'a=ice-ufrag:EsAw', 'a=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1',
    'm=video 9 UDP/TLS/RTP/SAVPF 96', 'a=mid:0', 'a=end-of-candidates', '',
  ].join('\r\n'));
});

test('a candidate of the second section stays there', () => {
  const lines = sdpFragment(OFFER, [{ ...HOST, sdpMid: '1' }], false).split('\r\n');
  assert.deepEqual(lines.slice(3), [
    'm=application 9 UDP/DTLS/SCTP webrtc-datachannel', 'a=mid:1', `a=${HOST.candidate}`, '',
  ]);
});

test('a fragment takes the place of what a description said of ICE', () => {
  const fragment = [
    'a=ice-ufrag:new1', 'a=ice-pwd:newpassword', 'm=video 9 UDP/TLS/RTP/SAVPF 0', 'a=mid:0',
    `a=${MAPPED.candidate}`, 'a=end-of-candidates', '',
  ].join('\r\n');
  const answer = OFFER.replace('a=mid:0', `a=mid:0\r\na=${HOST.candidate}\r\na=end-of-candidates`);
  const want = OFFER.replaceAll('EsAw', 'new1').replaceAll('P2uYro0UCOQ4zxjKXaWCBui1', 'newpassword')
    .replace('a=mid:0', `a=mid:0\r\na=${MAPPED.candidate}\r\na=end-of-candidates`);
  assert.equal(applyIceRestart(answer, fragment), want);
  assert.equal(applyIceRestart(want, fragment), want, 'and again');
});

test('Link headers give ICE servers', () => {
  const header = '<stun:stun.example.net>; rel="ice-server", '
    + '<turn:turn.example.net?transport=udp>; rel="ice-server"; username="user,1"; credential="p;w"; '
    + 'credential-type="password", '
    + '</sessions/1/labels>; rel="urn:mindflow:labels", <javascript:alert(1)>; rel="ice-server"';
  assert.deepEqual(iceServers(header), [
    { urls: 'stun:stun.example.net' },
    { urls: 'turn:turn.example.net?transport=udp', username: 'user,1', credential: 'p;w' },
  ]);
  assert.deepEqual(iceServers(null), []);
});

/**
 * Answers one request and returns what publish makes of it.
 * @param {import('node:http').RequestListener} listener
 * @param {(endpoint: string) => Promise<void>} use
 * @param {string} [path] of the endpoint
 */
async function served(listener, use, path = '/whip') {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  try {
    await use(`http://127.0.0.1:${port}${path}`);
  } finally {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  }
}

const never = new AbortController().signal;

/** @param {import('../../client/states.js').Reason} reason @param {RegExp} detail @param {number} retry */
const failure = (reason, detail, retry = 0) => (/** @type {unknown} */ error) => {
  assert.ok(error instanceof Failure, String(error));
  assert.equal(error.reason, reason);
  assert.match(error.detail, detail);
  assert.equal(error.retryAfter, retry);
  return true;
};

test('a session is opened, given candidates and ended', async () => {
  /** @type {string[]} */
  const seen = [];
  let ended = () => {};
  const end = new Promise((/** @type {(value: void) => void} */ resolve) => { ended = resolve; });
  await served(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    seen.push([request.method, request.url, request.headers['content-type'], request.headers['if-match'], body]
      .join(' '));
    if (request.method === 'POST') {
      response.writeHead(201, { Location: 'sessions/a1', ETag: '"e1"',
        Link: '<stun:s.example>; rel="ice-server", <sessions/a1/labels>; rel="urn:mindflow:labels"' });
      response.end('answer');
      return;
    }
    if (request.method === 'GET') return response.writeHead(200).end('retry: 1');
    response.writeHead(request.method === 'PATCH' ? 204 : 200).end();
    if (request.method === 'DELETE') ended();
  }, async (endpoint) => {
    const session = await publish(endpoint, 'offer', never);
    assert.equal(session.url, new URL('/faces/sessions/a1', endpoint).href);
    assert.equal(session.answer, 'answer');
    assert.deepEqual(session.iceServers, [{ urls: 'stun:s.example' }]);
    assert.equal(await session.patch('fragment', never), true);
    assert.equal(await new Response(await session.labels(never)).text(), 'retry: 1');
    session.delete();
    await end;
  }, '/faces/whip');
  assert.deepEqual(seen.map((line) => line.trim()), [
    'POST /faces/whip application/sdp  offer',
    'PATCH /faces/sessions/a1 application/trickle-ice-sdpfrag "e1" fragment',
    'GET /faces/sessions/a1/labels',
    'DELETE /faces/sessions/a1',
  ]);
});

test('answers that say no become failures', async () => {
  const problem = { 'Content-Type': 'application/problem+json' };
  const cases = /** @type {const} */ ([
    [503, { ...problem, 'Retry-After': '7' }, '{"title":"full","detail":"all 8 places are taken"}',
      failure('full', /^all 8 places are taken$/, 7)],
    [503, { ...problem, 'Retry-After': '2' }, '{"type":"urn:mindflow:draining","detail":"it stops"}',
      failure('shutdown', /^it stops$/, 2)],
    [503, { 'Retry-After': 'soon' }, '', failure('full', /^503/, 10)],
    [503, {}, '', failure('unreachable', /^503/, 0)],
    [422, problem, '{"title":"no video"}', failure('refused', /^no video$/)],
    [400, problem, 'not JSON', failure('refused', /^400/)],
    [502, {}, 'bad gateway', failure('unreachable', /^502/)],
    [201, {}, 'answer', failure('refused', /Location/)],
  ]);
  for (const [status, headers, body, want] of cases) {
    await served((_, response) => response.writeHead(status, headers).end(body), async (endpoint) => {
      await assert.rejects(publish(endpoint, 'offer', never), want);
    });
  }
});

test('nobody at the address is unreachable', async () => {
  let address = '';
  await served((_, response) => response.end(), async (endpoint) => { address = endpoint; });
  await assert.rejects(publish(address, 'offer', never), failure('unreachable', /^$/));
});
