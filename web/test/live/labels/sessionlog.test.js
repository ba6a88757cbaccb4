import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toCSV, toJSON } from '../../../live/export.js';
import { SessionLog } from '../../../live/labels/sessionlog.js';

/** @param {number} id @param {string} label @param {boolean} [uncertain] */
const face = (id, label, uncertain = false) => /** @type {import('../../../client/wire.js').Face} */ ({
  id, label, uncertain, box: [0.1, 0.2, 0.3, 0.4], score: 1, confidence: 0.8, age_ms: 1, scores: [0.8, 0.2],
});
/** @param {number} seq @param {...import('../../../client/wire.js').Face} faces */
const message = (seq, ...faces) => /** @type {import('../../../client/wire.js').Labels} */ (
  /** @type {unknown} */ ({ seq, faces }));

/** Ten seconds at ten messages a second. @param {(second: number) => import('../../../client/wire.js').Face[]} of */
function recorded(of) {
  const record = new SessionLog();
  for (let i = 0; i <= 100; i++) record.add(message(i, ...of(i / 10)), 5000 + 100 * i);
  return record;
}

test('shares of the time, and the changes', () => {
  const record = recorded((s) => [face(1, s < 4 ? 'neutral' : s < 9 ? 'happy' : 'neutral')]);
  assert.deepEqual(record.shares().map(({ label, share }) => [label, Math.round(100 * share)]),
    [['neutral', 50], ['happy', 50]]);
  assert.deepEqual(record.changes(), [{ from: 'neutral', to: 'happy', times: 1 },
    { from: 'happy', to: 'neutral', times: 1 }]);
  assert.equal(record.duration, 10_000);
});

test('a moment of doubt is no change, and belongs to the label before', () => {
  const record = recorded((s) => [face(1, 'happy', s > 3 && s < 5)]);
  assert.deepEqual(record.changes(), []);
  assert.deepEqual(record.shares(), [{ label: 'happy', ms: 10_000, share: 1 }]);
});

test('a face that was away shows nothing meanwhile, two at once count twice', () => {
  const away = recorded((s) => (s > 3 && s < 7 ? [] : [face(1, 'sad')]));
  assert.equal(away.duration, 6000);
  assert.equal(recorded(() => [face(1, 'sad'), face(2, 'happy')]).duration, 20_000);
});

test('rows are five a second, and bounded', () => {
  const record = recorded(() => [face(1, 'sad')]);
  assert.equal(record.rows.length, 51);
  assert.equal(record.rows[1].t, 200);
  for (let i = 0; i < 60_000; i++) record.add(message(i, face(2, 'sad')), 50_000 + 200 * i);
  assert.ok(record.rows.length <= 55_000 && record.dropped > 0, `${record.rows.length} rows`);
  assert.equal(record.rows.length + record.dropped, 60_051);
  record.clear();
  assert.equal(record.rows.length + record.duration, 0);
});

test('CSV has the columns of mindflow video, and is safe in a spreadsheet', () => {
  const [head, row] = toCSV(recorded(() => [face(7, '=a,"b"')]).rows, ['neutral', 'happy']).split('\n');
  assert.equal(head, 't,frame,face,x,y,w,h,label,confidence,neutral,happy');
  assert.equal(row, '0.000,0,7,0.1,0.2,0.3,0.4,"\'=a,""b""",0.8,0.8,0.2');
});

test('JSON holds summary and rows', () => {
  const { v, model, labels, summary, rows } = JSON.parse(
    toJSON(recorded(() => [face(7, 'happy')]), { model: 'm', labels: ['neutral', 'happy'] }));
  assert.deepEqual([v, model, labels, summary.seconds, rows.length], [1, 'm', ['neutral', 'happy'], 10, 51]);
  assert.deepEqual(rows[0], { t: 0, frame: 0, face: 7, box: [0.1, 0.2, 0.3, 0.4], label: 'happy', uncertain: false,
    confidence: 0.8, scores: [0.8, 0.2] });
});
