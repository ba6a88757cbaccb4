import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cameraFailure } from '../../client/camera.js';
import { Language } from '../../words/language.js';
import { Failure, isTransient, PHASES, REASONS } from '../../client/states.js';

const english = new Language('en');
const wordsFor = (/** @type {import('../../client/states.js').State} */ state) => english.wordsFor(state);

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
  const text = english.phrases.notice('mindflow.example', false).join(' ');
  for (const said of [/mindflow\.example/, /encrypted/, /guess/, /not what a person feels/,
    /No picture is kept/]) assert.match(text, said);
});

test('an unsure label is shown as unsure', () => {
  const face = /** @type {import('../../client/wire.js').Face} */ (
    { label: 'sad', confidence: 0.384, uncertain: true });
  assert.equal(english.tag(face), 'Uncertain · Sad 38%?');
  assert.equal(english.tag({ ...face, uncertain: false }), 'Sad 38%');
  assert.equal(english.shortTag(face), 'Uncertain');
  assert.equal(english.shortTag({ ...face, uncertain: false }), 'Sad');
  assert.equal(english.expression('happy'), 'Happy');
});

test('countdowns name the attempt when there is one', () => {
  assert.equal(english.countdown(3), 'Next try in 3 s');
  assert.equal(english.countdown(0, 2), 'Attempt 2. Trying now…');
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
  assert.deepEqual(REASONS.filter(isTransient), ['unreachable', 'blocked', 'lost', 'shutdown']);
  assert.equal(new Failure('lost', 'x').message, 'lost: x');
});

test('a queued visitor reads how many are before it, and what the camera does meanwhile', () => {
  for (const [ahead, words] of /** @type {const} */ (
      [[0, 'You are next.'], [1, 'One person is before you.'], [3, '3 people are before you.']])) {
    const said = wordsFor({ phase: 'full', reason: 'full', ahead });
    assert.equal(said.cause, words);
    assert.match(said.next, /joins by itself.*no picture leaves this device.*Stop/);
    assert.equal(said.button, undefined); // nothing that is pressed would help
  }
});
