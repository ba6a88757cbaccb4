import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { afterEach, beforeEach, test } from 'node:test';
import { Peer } from '../../client/peer.js';
import { Failure } from '../../client/states.js';

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

  /** @type {object[]} in the order in which they were set */
  configs = [];

  constructor(/** @type {object} */ config) {
    super();
    this.configs.push(config);
    Connection.made = this;
  }

  setConfiguration(/** @type {object} */ config) {
    this.configs.push(config);
  }

  /** @type {any} */
  sender = {};

  addTransceiver() {
    return { sender: this.sender };
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

  say(/** @type {object} */ message) {
    this.dispatchEvent(new MessageEvent('message', { data: JSON.stringify(message) }));
  }
}

const on = { labels: () => {}, hello: () => {}, lost: () => {}, warning: () => {} };
const track = /** @type {MediaStreamTrack} */ ({});
const turn = () => new Promise((resolve) => setImmediate(resolve)); // after all that is due now

/** @type {import('node:http').Server} */
let server;
let endpoint = '';

beforeEach(async () => {
  Object.assign(globalThis, { RTCPeerConnection: Connection });
  server = createServer((_, response) => response.writeHead(201,
    { Location: '/sessions/a1', ETag: '"e1"' }).end('answer'));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  endpoint = `http://127.0.0.1:${/** @type {import('node:net').AddressInfo} */ (server.address()).port}/whip`;
});

afterEach(async () => {
  Reflect.deleteProperty(globalThis, 'RTCPeerConnection');
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
});

/**
 * Opens a peer up to where the answer is in place.
 * @param {Partial<import('../../client/peer.js').PeerHandlers>} [handlers]
 */
async function answered(handlers) {
  const state = { open: false };
  const opening = Peer.open(endpoint, track, { ...on, ...handlers }, new AbortController().signal);
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

test('a way that is asked for is kept when the server names its relays', async () => {
  server.removeAllListeners('request');
  server.on('request', (_, response) => response.writeHead(201, {
    Location: '/sessions/a1',
    Link: '<turn:example.org:3478?transport=udp>; rel="ice-server"; '
      + 'username="1:a"; credential="c"; credential-type="password"',
  }).end('answer'));
  const iceServers = [{ urls: 'stun:own.example' }];
  const config = { iceTransportPolicy: /** @type {const} */ ('relay'), iceServers };
  const end = new AbortController();
  const opening = Peer.open(endpoint, track, on, end.signal, config);
  await Connection.made.answered;
  const given = { urls: 'turn:example.org:3478?transport=udp', username: '1:a', credential: 'c' };
  assert.deepEqual(Connection.made.configs, [config,
    { iceTransportPolicy: 'relay', iceServers: [...iceServers, given] }]);
  end.abort();
  await assert.rejects(opening);
});

test('a connection that ends while it is being made is lost, though the browser answers nothing any more',
  async (t) => {
  t.mock.method(Connection.prototype, 'setRemoteDescription', /** @this {Connection} */ function set() {
    this.channels.control.dispatchEvent(new Event('close')); // as where the answer refuses the channels
    return new Promise(() => {});
  });
  const opening = Peer.open(endpoint, track, on, new AbortController().signal);
  await assert.rejects(opening, (error) => error instanceof Failure && error.reason === 'lost');
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

test('a hint reaches the sender; one that the browser cannot obey is strange and no more', async () => {
  /** @type {Error[]} */
  const strange = [];
  const { opening, pc } = await answered({ warning: (error) => strange.push(error) });
  pc.connect();
  pc.channels.control.open();
  const peer = await opening;
  /** @type {object[]} */
  const set = [];
  Object.assign(pc.sender, {
    getParameters: () => ({ encodings: [{}] }),
    setParameters: async (/** @type {any} */ { encodings }) => {
      if (encodings[0].maxFramerate > 60) throw new Error('too fast');
      set.push(encodings[0]);
    },
  });
  pc.channels.control.say({ v: 1, type: 'hint', max_framerate: 90 });
  pc.channels.control.say({ v: 1, type: 'hint', max_framerate: 15 });
  pc.channels.control.say({ v: 1, type: 'hint', max_framerate: 0 });
  await turn();
  assert.deepEqual(set, [{ scaleResolutionDownBy: 1, maxFramerate: 15 }]);
  assert.deepEqual(strange.map((e) => e.message).sort(),
    ['message field max_framerate: want a number over 0', 'too fast']);
  pc.channels.control.say({ v: 1, type: 'hint', max_framerate: 90 });
  peer.close(); // meanwhile
  await turn();
  assert.equal(strange.length, 2);
});
