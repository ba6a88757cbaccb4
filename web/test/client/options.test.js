import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Wishes } from '../../client/options.js';

const model = { name: 'a', labels: ['x', 'y'], uncertain: 0.5 };
const hello = /** @type {import('../../client/wire.js').Hello} */ ({ v: 1, type: 'hello', session: 's', model, models: [model, { ...model, name: 'b' }] });

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
  const wishes = new Wishes();
  const peer = noting();
  assert.equal(wishes.begin('http://h/whip'), 'http://h/whip');
  wishes.want({ model: 'b', attention: true });
  await wishes.settle(peer); // too early: the server has not said what it does
  wishes.greet(hello);
  await wishes.settle(peer);
  await wishes.settle(peer);
  wishes.want({ model: '', attention: true }); // the default
  await wishes.settle(peer);
  assert.deepEqual(peer.asked, [{ model: 'b', attention: true }, { model: 'a' }]);
});

test('a new connection is told again', async () => {
  const wishes = new Wishes();
  wishes.want({ model: 'b', attention: true });
  assert.equal(wishes.begin('http://h/whip?key=1'), 'http://h/whip?key=1&model=b');
  const peer = noting();
  wishes.greet({ ...hello, model: { ...model, name: 'b' } });
  await wishes.settle(peer);
  assert.deepEqual(peer.asked, [{ attention: true }]);
});

test('what was refused may be asked for again', async () => {
  const wishes = new Wishes();
  wishes.greet(hello);
  const peer = noting(['c']);
  wishes.want({ model: 'c', attention: false });
  await assert.rejects(wishes.settle(peer), /no such model/);
  wishes.want({ model: 'a', attention: false });
  await wishes.settle(peer); // it still does that
  assert.deepEqual(peer.asked, [{ model: 'c' }]);
});
