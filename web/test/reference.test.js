import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reference, written } from './reference.js';

test('the reference in docs/embedding.md is that of the code', () => {
  const { page, wanted } = written();
  assert.equal(page, wanted, 'run node web/test/reference.js');
  for (const name of ['srcObject', 'maxFaces', 'snapshot()', 'mindflow-labels', '--mindflow-accent',
    'footer']) assert.ok(reference().includes(`\`${name}\``), name);
});
