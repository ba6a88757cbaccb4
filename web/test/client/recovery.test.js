import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { Recovery } from '../../client/recovery.js';

const turn = () => new Promise((resolve) => setImmediate(resolve)); // after all that is due now

/** A connection whose traffic and labels over HTTP the test makes. */
class Line {
  sent = 0;
  received = 0;
  restarts = 0;
  /** @type {string[]} */
  got = [];
  /** @type {{signal: AbortSignal, say: (text: string) => void}[]} */
  detours = [];

  unreachable = false; // over HTTP
  session = /** @type {any} */ ({
    labels: async (/** @type {AbortSignal} */ signal) => {
      if (this.unreachable) {
        return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
      }
      /** @type {ReadableStreamDefaultController<Uint8Array>} */
      let out;
      const body = new ReadableStream({ start(controller) { out = controller; } });
      signal.addEventListener('abort', () => out.error(signal.reason));
      this.detours.push({ signal, say: (text) => out.enqueue(new TextEncoder().encode(text)) });
      return body;
    },
  });

  labels = (/** @type {string} */ text) => { this.got.push(text); };
  traffic = async () => ({ sent: this.sent, received: this.received });
  /** @type {AbortSignal | undefined} of the newest */
  search;
  restart = async (/** @type {AbortSignal} */ signal) => {
    this.restarts++;
    this.search = signal;
  };
}

/** @type {Line} */
let line;
/** @type {AbortController} */
let life;
/** @type {Recovery} */
let recovery;

beforeEach(() => {
  line = new Line();
  life = new AbortController();
  recovery = new Recovery(line, life.signal);
});

/** A clock that the test moves. @param {import('node:test').TestContext} t */
function clock(t) {
  let now = 1000;
  t.mock.timers.enable({ apis: ['setTimeout'] });
  t.mock.method(performance, 'now', () => now);
  /** @param {number} ms @param {() => void} [each] at each of its steps of 10 ms */
  return async (ms, each = () => {}) => {
    for (let step = 0; step < ms; step += 10) {
      now += 10;
      each();
      t.mock.timers.tick(10);
      await turn();
    }
  };
}

/**
 * 25 labels a second by the channel.
 * @param {(ms: number) => Promise<void>} pass
 * @param {number} from
 * @param {number} to
 */
async function channel(pass, from, to) {
  for (let seq = from; seq < to; seq++) {
    recovery.received(seq);
    recovery.receivedOnChannel(seq);
    await pass(40);
  }
}

test('labels that keep coming are left alone, and so is a connection that has none yet', async (t) => {
  const pass = clock(t);
  await pass(10_000);
  await channel(pass, 0, 100);
  assert.deepEqual([line.detours.length, line.restarts], [0, 0]);
});

test('a channel that is stuck: labels come over HTTP until it gives new ones', async (t) => {
  const pass = clock(t);
  await channel(pass, 0, 50);
  const alive = () => { line.sent++; line.received += 50; };
  await pass(240, alive);
  assert.equal(line.detours.length, 0, 'not yet');
  await pass(80, alive);
  assert.equal(line.detours.length, 1);
  line.detours[0].say('event: hello\ndata: {}\n\nid: 60\ndata: labels 60\n\n');
  await pass(500, alive);
  assert.deepEqual(line.got, ['labels 60']);
  recovery.received(60);
  for (const seq of [50, 51, 52, 56]) { // what was stuck
    recovery.received(seq);
    recovery.receivedOnChannel(seq);
  }
  await pass(200, alive);
  assert.equal(line.detours[0].signal.aborted, false);
  recovery.receivedOnChannel(58); // no more behind than one way may be behind the other
  await pass(200, alive);
  assert.equal(line.detours[0].signal.aborted, true);
  await channel(pass, 61, 80);
  assert.deepEqual([line.detours.length, line.restarts], [1, 0]);
});

test('packets that go unanswered: another path is looked for, again after longer and longer', async (t) => {
  const pass = clock(t);
  await channel(pass, 0, 50);
  const unheard = () => { line.sent++; };
  await pass(240, unheard);
  assert.equal(line.restarts, 0, 'the server may be busy');
  await pass(200, unheard);
  assert.equal(line.restarts, 1);
  await pass(1700, unheard);
  assert.equal(line.restarts, 1);
  await pass(900, unheard);
  assert.equal(line.restarts, 2);
  await pass(10_000, unheard);
  assert.equal(line.restarts, 3);
  await channel(pass, 60, 70);
  assert.ok(line.detours.every(({ signal }) => signal.aborted));
  await pass(700, unheard); // a new silence is a new one
  assert.equal(line.restarts, 4);
});

test('no path is looked for while the server cannot be told', async (t) => {
  const pass = clock(t);
  await channel(pass, 0, 50);
  line.unreachable = true;
  const unheard = () => { line.sent++; };
  await pass(5000, unheard);
  assert.equal(line.restarts, 0);
  line.unreachable = false;
  await pass(8000, unheard);
  assert.ok(line.restarts > 0);
});

test('a search that the server has not heard of is given up when the path is back', async (t) => {
  const pass = clock(t);
  await channel(pass, 0, 50);
  await pass(500, () => { line.sent++; });
  assert.equal(line.search?.aborted, false);
  line.received++;
  await pass(200);
  assert.equal(line.search?.aborted, true);
});

test('no path is looked for where nothing is sent: a camera that gives no picture', async (t) => {
  const pass = clock(t);
  await channel(pass, 0, 50);
  await pass(60_000);
  assert.equal(line.restarts, 0);
  assert.ok(line.detours.length > 3 && line.detours.length < 10, `${line.detours.length} tries in a minute`);
});

test('the fewer labels a second, the longer the patience', async (t) => {
  const pass = clock(t);
  for (let seq = 0; seq < 80; seq++) {
    recovery.receivedOnChannel(seq);
    await pass(200);
  }
  await pass(800);
  assert.equal(line.detours.length, 0);
  await pass(400);
  assert.equal(line.detours.length, 1);
});

test('nothing is due while no picture is sent, nor after the end', async (t) => {
  const pass = clock(t);
  await channel(pass, 0, 50);
  recovery.setExpected(false);
  recovery.receivedOnChannel(51); // was under way
  await pass(5000);
  assert.equal(line.detours.length, 0);
  recovery.setExpected(true);
  await pass(5000);
  assert.equal(line.detours.length, 0, 'before the first label');
  await channel(pass, 51, 60);
  await pass(600);
  assert.equal(line.detours.length, 1);
  life.abort();
  await pass(5000);
  assert.equal(line.detours[0].signal.aborted, true);
  recovery.receivedOnChannel(61);
  await pass(5000);
  assert.equal(line.detours.length, 1);
});
