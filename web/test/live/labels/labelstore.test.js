import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LabelStore } from '../../../live/labels/labelstore.js';
import { FaceSelection } from '../../../live/labels/faceselection.js';

/** @param {number} id @param {number} side @returns {import('../../../client/wire.js').Face} */
const face = (id, side) => ({
  id, box: [0.1, 0.1, side, side], score: 0.9, label: 'happy', confidence: 0.8, age_ms: 20, scores: [0.2, 0.8],
    uncertain: false,
});

/** @param {import('../../../client/wire.js').Face[]} faces @returns {import('../../../client/wire.js').Labels} */
const message = (...faces) => ({
  v: 1, seq: 0, rtp: 0, width: 640, height: 480, dropped: {}, ms: { decode: 1, detect: 5, classify: 9, total: 20 },
    faces,
});

test('the largest face is selected, and stays so against one nearly as large', () => {
  const selection = new FaceSelection();
  assert.equal(selection.update([face(1, 0.2), face(2, 0.3)], 0)?.id, 2);
  assert.equal(selection.update([face(1, 0.31), face(2, 0.3)], 50)?.id, 2);
  assert.equal(selection.update([face(1, 0.4), face(2, 0.3)], 100)?.id, 1);
});

test('a picked face stays selected until it is gone for a second', () => {
  const selection = new FaceSelection();
  selection.update([face(1, 0.2), face(2, 0.5)], 0);
  selection.select(1, 10);
  assert.equal(selection.update([face(1, 0.2), face(2, 0.5)], 50)?.id, 1);
  assert.equal(selection.update([face(2, 0.5)], 500), undefined);
  assert.equal(selection.id, 1);
  assert.equal(selection.update([face(1, 0.2), face(2, 0.5)], 900)?.id, 1);
  assert.equal(selection.update([face(2, 0.5)], 2000)?.id, 2);
});

test('nobody in view for a second is nobody selected', () => {
  const selection = new FaceSelection();
  assert.equal(selection.update([], 0), undefined);
  selection.update([face(4, 0.2)], 100);
  selection.update([], 600);
  assert.equal(selection.id, 4);
  selection.update([], 1200);
  assert.equal(selection.id, undefined);
});

test('old labels are not shown as present', () => {
  const reading = new LabelStore();
  reading.start(0);
  reading.receive(message(face(1, 0.2)), 100);
  assert.equal(reading.faces(200).length, 1);
  assert.equal(reading.face(200)?.id, 1);
  assert.equal(reading.faces(1200).length, 0);
  assert.equal(reading.face(1200), undefined);
});

test('hints say what is missing', () => {
  const reading = new LabelStore();
  reading.start(0);
  assert.equal(reading.missing(3000), undefined);
  assert.equal(reading.missing(4500), 'silent');
  reading.receive(message(face(1, 0.2)), 5000);
  reading.receive(message(), 6000);
  assert.equal(reading.missing(6000), undefined); // a blink of the detector
  reading.receive(message(), 6600);
  assert.equal(reading.missing(6600), 'no-face');
});

/** @param {string[][]} labels of the models a, b, … */
const hello = (...labels) => {
  const models = labels.map((l, i) => ({ name: 'ab'[i], labels: l, uncertain: 0.5 }));
  return /** @type {import('../../../client/wire.js').Hello} */ (
    { v: 1, type: 'hello', session: 's', model: models[0], models });
};

test('scores are shown only with the labels of the model that gave them', () => {
  const reading = new LabelStore();
  const from = (/** @type {string} */ model) => ({ ...message(face(1, 0.2)), model });
  reading.receive(from('a'), 0); // the other channel has not said yet what a is
  assert.equal(reading.scores(0), undefined);
  assert.equal(reading.face(0)?.id, 1);
  assert.equal(reading.samples().length, 0);
  reading.hello(hello(['sad', 'happy'], ['happy', 'sad']));
  assert.deepEqual(reading.labels, ['sad', 'happy']);
  assert.deepEqual(reading.scores(0), [0.2, 0.8], 'they wait for the next message');
  reading.receive(from('a'), 100);
  assert.deepEqual(reading.scores(100), [0.2, 0.8]);
  reading.receive(from('b'), 200); // before the server's ok to the change
  assert.deepEqual(reading.labels, ['happy', 'sad']);
  assert.equal(reading.model?.name, 'b');
  assert.equal(reading.samples().length, 1, 'the timeline mixes models');
  reading.receive(from('c'), 300);
  assert.equal(reading.scores(300), undefined);
  reading.receive(from('a'), 400);
  assert.deepEqual(reading.labels, ['sad', 'happy']);
});

test('the heads are known from the first face on, and are the model’s', () => {
  const reading = new LabelStore();
  reading.hello(hello(['x', 'y'], ['y', 'x']));
  const attention = { heads: 4, width: 1, height: 1, ranges: [], data: '',
    region: /** @type {[number, number, number, number]} */ ([0, 0, 1, 1]) };
  reading.receive({ ...message({ ...face(1, 0.2), attention }), model: 'a' }, 0);
  reading.receive({ ...message(), model: 'a' }, 50);
  assert.equal(reading.heads, 4);
  reading.receive({ ...message(face(1, 0.2)), model: 'b' }, 100);
  assert.equal(reading.heads, 0);
});

test('a server without a choice is read by its hello', () => {
  const reading = new LabelStore();
  const { models, ...old } = hello(['x', 'y']);
  reading.hello(old);
  reading.receive(message(face(1, 0.2)), 0);
  assert.deepEqual([reading.labels, reading.scores(0), models?.length], [['x', 'y'], [0.2, 0.8], 1]);
});

test('picking shows the other face at once', () => {
  const reading = new LabelStore();
  reading.hello(hello(['x', 'y']));
  reading.receive(message(face(1, 0.2), face(2, 0.5)), 0);
  assert.equal(reading.selected, 2);
  reading.select(1, 10);
  assert.equal(reading.face(10)?.id, 1);
  assert.equal(reading.samples().length, 1);
  reading.reset();
  assert.equal(reading.model, undefined);
  assert.notEqual(reading.loggedModel, undefined); // the record may be taken along after the end
  assert.equal(reading.face(20)?.id, undefined);
  assert.equal(reading.selected, undefined);
});
