// web/ as an npm package: what is in it, what TypeScript makes of it, and how much a page loads.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';

const web = path.join(import.meta.dirname, '..');
const run = (/** @type {string} */ program, /** @type {string[]} */ args, cwd = web) =>
  execFileSync(program, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

/**
 * The modules that one loads, and those that they load, without what is loaded later.
 * @param {string} name
 * @param {Set<string>} [found]
 */
function loads(name, found = new Set()) {
  if (found.has(name)) return found;
  found.add(name);
  const text = readFileSync(path.join(web, name), 'utf8');
  for (const [, next] of text.matchAll(/^(?:import|export) [^'"]*'(\.[^']+)';$/gm)) loads(path
    .join(path.dirname(name), next), found);
  return found;
}

test('the package holds the widget and its types, and neither pages nor tests', (t) => {
  const [{ files, unpackedSize }] = JSON.parse(run('npm', ['pack', '--dry-run', '--json', '--loglevel=error']));
  const names = files.map((/** @type {{path: string}} */ f) => f.path);
  t.diagnostic(`${names.length} files, ${unpackedSize} bytes`);
  for (const name of [...loads('live/mindflow.js'), 'client/supplied.js', 'client/stamper.js', 'live/snapshot.js',
    'live/exportsession.js', 'index.d.ts', 'types/live/mindflow.d.ts',
    'types/client/headless.d.ts', 'PROTOCOL.md', 'package.json']) {
    assert.ok(names.includes(name), `${name} is missing`);
  }
  assert.deepEqual(names.filter((/** @type {string} */ n) => /test|page|selftest|probe|\.go$|\.html$|\.css$/.test(n)),
    []);
});

test('TypeScript knows element, events and client', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'mindflow-types-'));
  mkdirSync(path.join(folder, 'node_modules'));
  symlinkSync(web, path.join(folder, 'node_modules/mindflow-live'));
  writeFileSync(path.join(folder, 'use.ts'), `
import { MindflowClient, MindflowLive } from 'mindflow-live';
const live: MindflowLive = document.createElement('mindflow-live');
live.token = async ({ refused }) => (refused ? 'b' : 'a');
live.maxFaces = 2;
live.facing = 'environment';
live.addEventListener('mindflow-labels', (e) => {
  const box: [number, number, number, number] = e.detail.faces[0].box;
  box[0].toFixed();
});
live.addEventListener('mindflow-state', ({ detail }) => { if (detail.state === 'failed') detail.reason?.length; });
const still: Promise<Blob> = live.snapshot({ type: 'image/jpeg' });
async function loop(stream: MediaStream) {
  const client = new MindflowClient({ src: 'https://h', token: 't', stream });
  for await (const { faces } of client) faces.map((f) => f.label.length);
  await still;
}
void loop;
// @ts-expect-error there is no such state
if (live.state === 'asleep') throw new Error();
`);
  const tsc = path.join(web, '../node_modules/typescript/bin/tsc');
  try {
    run(process.execPath, [tsc, '--noEmit', '--strict', '--target', 'es2022', '--module', 'esnext',
      '--moduleResolution', 'bundler', '--lib', 'es2023,dom,dom.iterable',
      '--preserveSymlinks', 'use.ts'], folder);
  } catch (error) {
    assert.fail(/** @type {{stdout: string}} */ (error).stdout);
  }
});
