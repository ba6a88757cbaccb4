import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cameraFailure } from '../camera.js';
import { Failure, passes, PHASES, REASONS } from '../states.js';
import { countdown, expressionName, notice, tagText, wordsFor } from '../words.js';

test('every phase has a title', () => {
  for (const phase of PHASES) assert.ok(wordsFor({ phase }).title, phase);
});

test('every failure has a cause, a next step and words of its own', () => {
  const titles = new Set();
  for (const reason of REASONS) {
    const words = wordsFor({ phase: 'failed', reason });
    assert.ok(words.cause.endsWith('.') && words.next.endsWith('.'), reason);
    titles.add(words.title + words.cause);
  }
  assert.equal(titles.size, REASONS.length);
});

test('where trying again cannot help there is no such button', () => {
  for (const reason of /** @type {const} */ (['insecure', 'unsupported', 'version'])) {
    assert.equal(wordsFor({ phase: 'failed', reason }).button, undefined, reason);
  }
  assert.equal(wordsFor({ phase: 'failed', reason: 'denied' }).button, 'Try again');
});

test('what waits offers not to', () => {
  for (const phase of /** @type {const} */ (['full', 'reconnecting'])) assert.ok(wordsFor({ phase }).button, phase);
  assert.match(wordsFor({ phase: 'reconnecting', reason: 'shutdown' }).title, /restarting/);
});

test('the notice says where the picture goes and what is made of it', () => {
  const text = notice('mindflow.example').join(' ');
  for (const said of [/mindflow\.example/, /encrypted/, /guess/, /not what a person feels/, /No picture is kept/]) assert.match(text, said);
});

test('an unsure label is shown as unsure', () => {
  const face = /** @type {import('../wire.js').Face} */ ({ label: 'sad', confidence: 0.384, uncertain: true });
  assert.equal(tagText(face), 'Uncertain · Sad 38%?');
  assert.equal(tagText({ ...face, uncertain: false }), 'Sad 38%');
  assert.equal(expressionName('happy'), 'Happy');
});

test('countdowns name the attempt when there is one', () => {
  assert.equal(countdown(3), 'Next try in 3 s');
  assert.equal(countdown(0, 2), 'Attempt 2. Trying now…');
});

test('camera errors have reasons', () => {
  const cases = /** @type {const} */ ([
    ['NotAllowedError', 'denied'], ['NotFoundError', 'no-camera'], ['OverconstrainedError', 'no-camera'],
    ['NotReadableError', 'busy'], ['AbortError', 'busy'], ['InvalidStateError', 'camera-failed'],
  ]);
  for (const [name, reason] of cases) {
    const failure = cameraFailure(new DOMException('said by the browser', name));
    assert.equal(failure.reason, reason);
    assert.equal(failure.detail, 'said by the browser');
  }
});

test('only what may pass by itself is tried again', () => {
  assert.deepEqual(REASONS.filter(passes), ['unreachable', 'blocked', 'lost', 'shutdown']);
  assert.equal(new Failure('lost', 'x').message, 'lost: x');
});
