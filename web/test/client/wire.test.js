import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { controlRequest, parseControl, parseLabels, parseWaiting, WireError } from '../../client/wire.js';

const folder = new URL('../../testdata/wire/', import.meta.url);
const read = (/** @type {string} */ name) => readFileSync(new URL(name, folder), 'utf8');
const names = readdirSync(folder).filter((n) => n.endsWith('.json'));

const FROM_PAGE = ['control-pause.json', 'control-resume.json', 'control-options.json'];

for (const name of names.filter((n) => n.startsWith('labels-'))) {
  test(`${name} is read as it is`, () => {
    assert.deepEqual(parseLabels(read(name)), JSON.parse(read(name)));
  });
}

for (const name of names.filter((n) => n.startsWith('control-') && !FROM_PAGE.includes(n))) {
  test(`${name} is read as it is`, () => {
    assert.deepEqual(parseControl(read(name)), JSON.parse(read(name)));
  });
}

for (const name of names.filter((n) => n.startsWith('waiting-'))) {
  test(`${name} is read as it is`, () => {
    assert.deepEqual(parseWaiting(read(name)), JSON.parse(read(name)));
  });
}

test('requests are written as in the examples', () => {
  assert.deepEqual(JSON.parse(controlRequest('pause', 1)), JSON.parse(read('control-pause.json')));
  assert.deepEqual(JSON.parse(controlRequest('resume', 2)), JSON.parse(read('control-resume.json')));
  const options = { model: 'dan-rafdb', attention: true };
  assert.deepEqual(JSON.parse(controlRequest('options', 7, options)), JSON.parse(read('control-options.json')));
});

/** What each invalid example breaks. @type {Record<string, string>} */
const BROKEN = {
  'labels-v-other': 'v',
  'labels-v-missing': 'v',
  'labels-seq-negative': 'seq',
  'labels-seq-fraction': 'seq',
  'labels-rtp-over-32-bits': 'rtp',
  'labels-width-zero': 'width',
  'labels-height-text': 'height',
  'labels-dropped-null': 'dropped',
  'labels-dropped-negative': 'dropped.stale',
  'labels-ms-total-missing': 'ms.total',
  'labels-faces-null': 'faces',
  'labels-box-short': 'faces[0].box',
  'labels-box-width-negative': 'faces[0].box[2]',
  'labels-box-in-pixels': 'faces[0].box[0]',
  'labels-score-over-one': 'faces[0].score',
  'labels-label-empty': 'faces[0].label',
  'labels-confidence-in-percent': 'faces[0].confidence',
  'labels-age-negative': 'faces[0].age_ms',
  'labels-age-infinite': 'faces[0].age_ms',
  'labels-scores-missing': 'faces[0].scores',
  'labels-scores-null-item': 'faces[0].scores[1]',
  'labels-uncertain-number': 'faces[0].uncertain',
  'labels-face-not-object': 'faces[0]',
  'labels-model-number': 'model',
  'labels-attention-null': 'faces[0].attention',
  'labels-attention-heads-zero': 'faces[0].attention.heads',
  'labels-attention-width-fraction': 'faces[0].attention.width',
  'labels-attention-too-large': 'faces[0].attention.heads',
  'labels-attention-region-short': 'faces[0].attention.region',
  'labels-attention-region-flat': 'faces[0].attention.region[2]',
  'labels-attention-ranges-one': 'faces[0].attention.ranges',
  'labels-attention-range-text': 'faces[0].attention.ranges[1][1]',
  'labels-attention-data-short': 'faces[0].attention.data',
  'labels-attention-data-not-base64': 'faces[0].attention.data',
  'labels-attention-data-list': 'faces[0].attention.data',
  'labels-cut-short': '(message)',
  'control-type-missing': 'type',
  'control-v-other': 'v',
  'control-hello-session-missing': 'session',
  'control-hello-labels-one': 'model.labels',
  'control-hello-uncertain-percent': 'model.uncertain',
  'control-hello-attention-text': 'model.attention',
  'control-hello-models-empty': 'models',
  'control-hello-models-labels-one': 'models[1].labels',
  'control-hello-models-name-missing': 'models[0].name',
  'control-ok-id-missing': 'id',
  'control-ok-model-labels-missing': 'model.labels',
  'control-error-code-missing': 'code',
  'control-bye-reason-number': 'reason',
  'control-hint-side-small': 'max_side',
  'control-hint-side-fraction': 'max_side',
  'control-hint-side-null': 'max_side',
  'control-hint-framerate-zero': 'max_framerate',
  'control-hint-framerate-text': 'max_framerate',
  'control-hint-framerate-infinite': 'max_framerate',
  'waiting-ahead-negative': 'ahead',
  'waiting-nobody': 'waiting',
  'waiting-turn-missing': 'turn',
  'waiting-again-zero': 'again_ms',
  'waiting-again-endless': 'again_ms',
};

test('every invalid example is in the table', () => {
  const files = readdirSync(new URL('invalid/', folder)).map((n) => n.replace('.json', ''));
  assert.deepEqual(files.sort(), Object.keys(BROKEN).sort());
});

for (const [name, field] of Object.entries(BROKEN)) {
  test(`invalid/${name} is rejected for its ${field}`, () => {
    const parse = name.startsWith('labels-') ? parseLabels : name.startsWith('waiting-') ? parseWaiting : parseControl;
    assert.throws(() => parse(read(`invalid/${name}.json`)), (error) => {
      assert.ok(error instanceof WireError);
      assert.equal(error.field, field);
      assert.match(error.message, /want \S/);
      return true;
    });
  });
}

test('a control type of a later server is nothing', () => {
  assert.deepEqual(parseControl('{"v":1,"type":"weather","wind":"north"}'), { v: 1, type: 'unknown' });
});

test('unknown fields are ignored', () => {
  const message = { ...JSON.parse(read('labels-one-face.json')), weather: [1, 2] };
  message.faces[0].gaze = 'left';
  assert.equal(parseLabels(JSON.stringify(message)).faces[0].id, 7);
});

test('a server that offers no choice names no model', () => {
  const { model, ...message } = JSON.parse(read('labels-one-face.json'));
  assert.equal(parseLabels(JSON.stringify(message)).model, undefined);
  const { models, ...hello } = JSON.parse(read('control-hello.json'));
  assert.equal(parseControl(JSON.stringify(hello)).type, 'hello');
  assert.ok(model && models);
});

test('a sum that rounding pushed over 1 passes', () => {
  const message = JSON.parse(read('labels-one-face.json'));
  message.faces[0].confidence = 1.0000001;
  assert.equal(parseLabels(JSON.stringify(message)).faces.length, 1);
});
