import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PHASES, REASONS } from '../client/states.js';
import { SCENES } from './browser/gallery-states.js';

const shown = Object.entries(SCENES).map(([name, { is = ['failed', name] }]) => is);

test('the gallery has each state without labels', () => {
  const before = ['idle', 'live']; // those of whole pages, in gallery.js
  assert.deepEqual(PHASES.filter((phase) => !before.includes(phase) && !shown.some(([state]) => state === phase)), []);
});

test('the gallery has each failure', () => {
  const passing = ['full', 'shutdown']; // reasons to wait: as states
  assert.deepEqual(REASONS.filter((reason) => !passing.includes(reason)
    && !shown.some(([state, why]) => state === 'failed' && why === reason)), []);
});
