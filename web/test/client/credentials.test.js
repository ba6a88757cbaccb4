import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { Failure } from '../../client/states.js';
import { Credentials } from '../../client/credentials.js';
import { pollQueue, storeTicket, leaveQueue, takeTicket } from '../../client/waiting.js';
import { publish } from '../../client/whip.js';

const HOME = 'https://faces.example/whip';
const never = new AbortController().signal;

const real = globalThis.fetch;
afterEach(() => { globalThis.fetch = real; });

/** @typedef {{url: string, method: string, auth: string | null, ticket: string | null, keepalive: boolean}} Request */

/**
 * Answers requests in turn and notes them.
 * @param {...(Response | Error)} answers
 * @returns {Request[]}
 */
function server(...answers) {
  /** @type {Request[]} */
  const seen = [];
  globalThis.fetch = async (url, init) => {
    const headers = new Headers(init?.headers);
    seen.push({
      url: String(url), method: init?.method ?? 'GET', auth: headers.get('Authorization'),
        ticket: headers.get('Mindflow-Ticket'),
      keepalive: init?.keepalive === true,
    });
    const answer = answers.shift() ?? new Response(null, { status: 500 });
    if (answer instanceof Error) throw answer;
    return answer;
  };
  return seen;
}

const created = () =>
  new Response('answer', { status: 201, headers: { Location: '/sessions/1', ETag: '"1"', 'Mindflow-Ticket': 'T1' } });
const full = (/** @type {number} */ ahead) => new Response(
  JSON.stringify({ type: 'urn:mindflow:waiting', detail: 'full', ahead, waiting: 9 }), {
  status: 503, headers: { 'Content-Type': 'application/problem+json', 'Retry-After': '3', 'Mindflow-Ticket': 'W1' },
});
const unauthorized = () => new Response('{"detail":"a token is needed"}',
  { status: 401, headers: { 'Content-Type': 'application/problem+json' } });

/** @param {() => Promise<unknown>} act @returns {Promise<Failure>} */
async function failure(act) {
  try {
    await act();
  } catch (error) {
    assert.ok(error instanceof Failure, String(error));
    return error;
  }
  assert.fail('it did not fail');
}

test('the token goes with every request, and never into the address', async () => {
  const seen = server(created(), new Response(null, { status: 204 }), new Response(null));
  const visitor = new Credentials(HOME);
  visitor.setToken(' s3cret\n');
  const session = await publish(HOME, 'offer', never, visitor);
  await session.patch('a=x', never);
  session.delete();
  assert.deepEqual(seen.map((r) => [r.method, r.auth, r.keepalive]), [
    ['POST', 'Bearer s3cret', false], ['PATCH', 'Bearer s3cret', false], ['DELETE', 'Bearer s3cret', true],
  ]);
  assert.ok(seen.every((r) => !r.url.includes('s3cret')));
});

test('without a token none is sent', async () => {
  const seen = server(created());
  await publish(HOME, 'offer', never, new Credentials(HOME));
  assert.equal(seen[0].auth, null);
  assert.equal(seen[0].ticket, null);
});

test('a session that is said to be elsewhere gets no token', async () => {
  const seen = server(new Response('answer', { status: 201, headers: { Location: 'https://elsewhere.example/s' } }),
    new Response(null));
  const visitor = new Credentials(HOME);
  visitor.setToken('s3cret');
  (await publish(HOME, 'offer', never, visitor)).delete();
  assert.equal(seen[1].url, 'https://elsewhere.example/s');
  assert.equal(seen[1].auth, null);
});

test('a function gives a token for each session, and another when the server says no', async () => {
  const asked = /** @type {boolean[]} */ ([]);
  const visitor = new Credentials(HOME);
  visitor.setToken(async ({ refused }) => {
    asked.push(refused);
    return `t${asked.length}`;
  });
  const seen = server(unauthorized(), created(), unauthorized(), new Response(null));
  const session = await publish(HOME, 'offer', never, visitor);
  assert.deepEqual(asked, [false, true]);
  assert.deepEqual(seen.map((r) => r.auth), ['Bearer t1', 'Bearer t2']);
  session.delete(); // leaves at once, with what is at hand
  assert.equal(seen.length, 3);
  assert.equal(seen[2].auth, 'Bearer t2');
});

test('the same token is not tried twice, and what the server says is told', async () => {
  for (const token of ['old', () => 'old']) {
    const seen = server(unauthorized(), unauthorized());
    const visitor = new Credentials(HOME);
    visitor.setToken(token);
    const why = await failure(() => publish(HOME, 'offer', never, visitor));
    assert.deepEqual([why.reason, why.detail, seen.length], ['unauthorized', 'a token is needed', 1]);
  }
});

test('a function that fails, or gives no token, ends the try', async () => {
  const seen = server();
  const visitor = new Credentials(HOME);
  visitor.setToken(() => { throw new Error('signed out'); });
  const why = await failure(() => publish(HOME, 'offer', never, visitor));
  assert.deepEqual([why.reason, why.detail, seen.length], ['unauthorized', 'signed out', 0]);
  visitor.setToken('two words');
  assert.equal((await failure(() => publish(HOME, 'offer', never, visitor))).reason, 'unauthorized');
});

test('a full server gives a ticket, which is shown from then on', async () => {
  const visitor = new Credentials(HOME);
  const seen = server(full(3), full(2), created());
  const first = await failure(() => publish(HOME, 'offer', never, visitor));
  assert.deepEqual([first.reason, first.ahead, first.retryAfter], ['full', 3, 3]);
  assert.equal((await failure(() => publish(HOME, 'offer', never, visitor))).ahead, 2);
  await publish(HOME, 'offer', never, visitor);
  assert.deepEqual(seen.map((r) => r.ticket), [null, 'W1', 'W1']);
  assert.equal(visitor.ticket, 'T1');
});

test('who may have no more sessions waits without a ticket', async () => {
  server(new Response('{"type":"urn:mindflow:limit-per-address","detail":"enough"}', {
    status: 429, headers: { 'Content-Type': 'application/problem+json', 'Retry-After': '10' },
  }));
  const why = await failure(() => publish(HOME, 'offer', never, new Credentials(HOME)));
  assert.deepEqual([why.reason, why.detail, why.retryAfter, why.ahead], ['full', 'enough', 10, undefined]);
});

test('a full server that tells nonsense is full all the same', async () => {
  for (const ahead of [-1, 1.5, '3', null]) {
    server(full(/** @type {any} */ (ahead)));
    const why = await failure(() => publish(HOME, 'offer', never, new Credentials(HOME)));
    assert.deepEqual([why.reason, why.ahead], ['full', undefined]);
  }
});

test('it asks for its turn, and takes no for an answer', async () => {
  const visitor = new Credentials(HOME);
  visitor.ticket = 'W1';
  const says = (/** @type {unknown} */ body) => new Response(JSON.stringify(body));
  const seen = server(says({ v: 1, ahead: 1, waiting: 2, turn: false, again_ms: 2500 }),
    new Response(null, { status: 404 }));
  assert.equal((await pollQueue(HOME, visitor, never))?.ahead, 1);
  assert.equal(await pollQueue(HOME, visitor, never), undefined);
  assert.deepEqual([seen[0].url, seen[0].method, seen[0].ticket], ['https://faces.example/waiting', 'GET', 'W1']);
  for (const [answer, reason] of /** @type {const} */ ([
    [says({ v: 1, ahead: 'many' }), 'unreachable'], [new Response(null, { status: 503 }), 'unreachable'],
      [new TypeError('network'), 'unreachable'],
    [unauthorized(), 'unauthorized'],
  ])) {
    server(answer);
    assert.equal((await failure(() => pollQueue(HOME, visitor, never))).reason, reason);
  }
});

test('who leaves the queue says so', () => {
  const visitor = new Credentials(HOME);
  visitor.ticket = 'W1';
  const seen = server(new Response(null, { status: 204 }));
  leaveQueue(HOME, visitor);
  assert.deepEqual(seen,
    [{ url: 'https://faces.example/waiting', method: 'DELETE', auth: null, ticket: 'W1', keepalive: true }]);
  assert.equal(visitor.ticket, '');
});

test('a ticket is left for the next page of the tab, once', () => {
  const held = new Map();
  const storage = { getItem: held.get.bind(held), setItem: held.set.bind(held), removeItem: held.delete.bind(held) };
  Object.defineProperty(globalThis, 'sessionStorage', { value: storage, configurable: true });
  storeTicket(HOME, 'W1');
  assert.equal(takeTicket('https://other.example/whip'), '');
  assert.equal(takeTicket(HOME), 'W1');
  assert.equal(takeTicket(HOME), '');
  Object.defineProperty(globalThis, 'sessionStorage',
    { get() { throw new Error('SecurityError'); }, configurable: true });
  storeTicket(HOME, 'W1');
  assert.equal(takeTicket(HOME), '');
});
