import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { afterEach, beforeEach, test } from 'node:test';
import { Peer } from '../peer.js';
import { Failure } from '../states.js';

/** Stands in for the browser's connection where the order of its events matters, which no browser lets one set. */
class Connection extends EventTarget {
  /** @type {Connection} the newest */
  static made;
  /** @type {Record<string, Channel>} */
  channels = {};
  connectionState = 'new';
  localDescription = null;
  #answered = () => {};
  answered = new Promise((/** @type {(value: void) => void} */ resolve) => { this.#answered = resolve; });

  constructor() {
    super();
    Connection.made = this;
  }

  addTransceiver() {
    return { sender: {} };
  }

  createDataChannel(/** @type {string} */ label) {
    return (this.channels[label] = new Channel());
  }

  async createOffer() {
    return { type: 'offer', sdp: 'offer' };
  }

  async setLocalDescription() {}

  async setRemoteDescription() {
    this.#answered();
  }

  connect() {
    this.connectionState = 'connected';
    this.dispatchEvent(new Event('connectionstatechange'));
  }

  close() {}
}

class Channel extends EventTarget {
  readyState = 'connecting';

  open() {
    this.readyState = 'open';
    this.dispatchEvent(new Event('open'));
  }
}

const on = { labels: () => {}, hello: () => {}, lost: () => {}, strange: () => {} };
const track = /** @type {MediaStreamTrack} */ ({});
const turn = () => new Promise((resolve) => setImmediate(resolve)); // after all that is due now

/** @type {import('node:http').Server} */
let server;
let endpoint = '';

beforeEach(async () => {
  Object.assign(globalThis, { RTCPeerConnection: Connection });
  server = createServer((_, response) => response.writeHead(201, { Location: '/sessions/a1', ETag: '"e1"' }).end('answer'));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  endpoint = `http://127.0.0.1:${/** @type {import('node:net').AddressInfo} */ (server.address()).port}/whip`;
});

afterEach(async () => {
  Reflect.deleteProperty(globalThis, 'RTCPeerConnection');
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
});

/** Opens a peer up to where the answer is in place. */
async function answered() {
  const state = { open: false };
  const opening = Peer.open(endpoint, track, on, new AbortController().signal);
  opening.then(() => { state.open = true; }, () => {});
  await Connection.made.answered;
  return { opening, state, pc: Connection.made };
}

test('a peer is open when media flows and requests can be sent', async () => {
  for (const order of /** @type {const} */ (['media first', 'control first'])) {
    const { opening, state, pc } = await answered();
    const steps = [() => pc.connect(), () => pc.channels.control.open()];
    if (order === 'control first') steps.reverse();
    steps[0]();
    await turn();
    assert.equal(state.open, false, order);
    steps[1]();
    (await opening).close();
  }
});

test('control that does not open in time is a path that is blocked', async (t) => {
  const { opening, pc } = await answered();
  t.mock.timers.enable({ apis: ['setTimeout'] });
  await turn();
  pc.connect();
  await turn();
  t.mock.timers.tick(12_000);
  await assert.rejects(opening, (error) => error instanceof Failure && error.reason === 'blocked');
});
