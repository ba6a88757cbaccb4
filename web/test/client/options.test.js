import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SessionOptions } from '../../client/options.js';

const model = { name: 'a', labels: ['x', 'y'], uncertain: 0.5 };
const hello = /** @type {import('../../client/wire.js').Hello} */ (
  { v: 1, type: 'hello', session: 's', model, models: [model, { ...model, name: 'b' }] });

/** A peer that notes what is asked, and refuses what is in `no`. @param {string[]} no */
function noting(no = []) {
  /** @type {import('../../client/wire.js').Options[]} */
  const asked = [];
  const request = async (/** @type {string} */ _, /** @type {import('../../client/wire.js').Options} */ options) => {
    asked.push(options);
    if (no.includes(options.model ?? '')) throw new Error('no such model');
  };
  return { asked, request };
}

test('only what differs is asked for, and once', async () => {
  const wishes = new SessionOptions();
  const peer = noting();
  assert.equal(wishes.sessionUrl('http://h/whip'), 'http://h/whip');
  wishes.set({ model: 'b', attention: true });
  await wishes.apply(peer); // too early: the server has not said what it does
  wishes.receiveHello(hello);
  await wishes.apply(peer);
  await wishes.apply(peer);
  wishes.set({ model: '', attention: true }); // the default
  await wishes.apply(peer);
  assert.deepEqual(peer.asked, [{ model: 'b', attention: true }, { model: 'a' }]);
});

test('a new connection is told again', async () => {
  const wishes = new SessionOptions();
  wishes.set({ model: 'b', attention: true });
  assert.equal(wishes.sessionUrl('http://h/whip?key=1'), 'http://h/whip?key=1&model=b');
  const peer = noting();
  wishes.receiveHello({ ...hello, model: { ...model, name: 'b' } });
  await wishes.apply(peer);
  assert.deepEqual(peer.asked, [{ attention: true }]);
});

test('what was refused may be asked for again', async () => {
  const wishes = new SessionOptions();
  wishes.receiveHello(hello);
  const peer = noting(['c']);
  wishes.set({ model: 'c', attention: false });
  await assert.rejects(wishes.apply(peer), /no such model/);
  wishes.set({ model: 'a', attention: false });
  await wishes.apply(peer); // it still does that
  assert.deepEqual(peer.asked, [{ model: 'c' }]);
});
