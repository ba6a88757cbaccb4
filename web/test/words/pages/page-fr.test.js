import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { FR } from '../../../words/pages/page-fr.js';
import * as selftest from '../../../words/pages/selftest.js';
import * as watch from '../../../words/pages/watch.js';

for (const [name, texts] of /** @type {const} */ ([['index', FR], ['selftest', selftest.PAGE_FR],
    ['watch', watch.PAGE_FR]])) {
  test(`each text of ${name}.html has its French, and no other`, () => {
    const page = readFileSync(new URL(`../../../pages/${name}.html`, import.meta.url), 'utf8');
    const places = new Set([...page.matchAll(/data-text="([^"]+)"/g)].map(([, place]) => place));
    assert.deepEqual(Object.keys(texts).sort(), [...places].sort());
  });
}

/** The names of all texts, how many there are in lists, and what kind each is. @param {any} texts @returns {any} */
function shape(texts) {
  if (Array.isArray(texts)) return texts.length;
  return typeof texts === 'object' ? Object.fromEntries(Object.entries(texts)
    .map(([key, value]) => [key, shape(value)])) : typeof texts;
}

for (const [name, { EN, FR: french }] of /** @type {const} */ (
    [['the connection test', selftest], ['watching', watch]])) {
  test(`${name} says in French what it says in English`, () => {
    assert.deepEqual(shape(french), shape(EN));
  });
}
