import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readServerSentEvents } from '../../client/sse.js';

/** A stream of text in pieces. @param {string[]} pieces @param {() => void} [cancelled] */
function stream(pieces, cancelled) {
  const bytes = pieces.map((p) => new TextEncoder().encode(p));
  return new ReadableStream({
    pull(controller) {
      const next = bytes.shift();
      if (next) controller.enqueue(next);
      else controller.close();
    },
    cancel: cancelled,
  }, { highWaterMark: 0 });
}

/** @param {ReadableStream<Uint8Array>} body */
async function all(body) {
  const events = [];
  for await (const e of readServerSentEvents(body)) events.push(e);
  return events;
}

const TEXT = ': hello\r\nretry: 1000\n\nevent: hello\ndata: {"v":1}\n\nid: 7\rdata: a\rdata:b\r\r'
  + 'data: é\r\n\r\nevent: nothing\n\nid: 8\ndata\n\ndata: cut off';
const WANT = [
  { type: 'hello', data: '{"v":1}', id: '' }, { type: 'message', data: 'a\nb', id: '7' },
  { type: 'message', data: 'é', id: '7' }, { type: 'message', data: '', id: '8' },
];

test('events are read wherever the stream is cut', async () => {
  assert.deepEqual(await all(stream([TEXT])), WANT);
  for (let at = 1; at < TEXT.length; at++) {
    assert.deepEqual(await all(stream([TEXT.slice(0, at), TEXT.slice(at)])), WANT, `cut at ${at}`);
  }
});

test('an event without an end is refused', async () => {
  await assert.rejects(all(stream(Array(40).fill('x'.repeat(1 << 15)))), /over 1048576 characters/);
  await assert.rejects(all(stream(Array(40).fill(`data: ${'x'.repeat(1 << 15)}\n`))), /over 1048576 characters/);
});

test('who stops reading ends the stream', async () => {
  const cancelled = new Promise((/** @type {(v: void) => void} */ resolve) => {
    void (async () => {
      for await (const e of readServerSentEvents(stream(['data: 1\n\n', 'data: 2\n\n', 'data: 3\n\n'], resolve))) {
        if (e.data === '1') break;
      }
    })();
  });
  await cancelled;
});
