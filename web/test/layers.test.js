// Holds the arrows between the folders of web/.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';

/** What the modules of a folder may import beside their own folder's. @type {Record<string, string[]>} */
const MAY_IMPORT = { words: [], client: [], live: ['client', 'words'], pages: ['client', 'live', 'words'] };
/** The types that they may name in comments, too. @type {Record<string, string[]>} */
const MAY_NAME = { ...MAY_IMPORT, words: ['client'] };

const web = path.join(import.meta.dirname, '..');

test('modules import what their folder may import', () => {
  const wrong = [];
  let modules = 0;
  for (const folder of Object.keys(MAY_IMPORT)) {
    for (const file of readdirSync(path.join(web, folder), { recursive: true, encoding: 'utf8' })
        .filter((f) => f.endsWith('.js'))) {
      const name = path.join(folder, file);
      modules++;
      const text = readFileSync(path.join(web, name), 'utf8');
      const code = text.replace(/\/\*\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
      for (const [allowed, part] of /** @type {const} */ ([[MAY_IMPORT, code], [MAY_NAME, text]])) {
        for (const [, to] of part.matchAll(/(?:from |import |import\()'(\.[^']+)'/g)) {
          const target = path.join(path.dirname(name), to).split(path.sep)[0];
          if (target !== folder && !allowed[folder].includes(target)) wrong.push(`${name} imports ${to}`);
        }
      }
    }
  }
  assert.deepEqual(wrong, []);
  assert.ok(modules > 60, `${modules} modules`);
});
