import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Language } from '../../words/language.js';
import { PHASES, REASONS } from '../../client/states.js';
import { EN } from '../../words/en.js';
import { FR } from '../../words/fr.js';

/** The names of all texts, and what kind each is. @param {any} texts @param {string} [under] @returns {string[]} */
function shape(texts, under = '') {
  return Object.entries(texts).flatMap(([key, value]) =>
    (typeof value === 'object' ? shape(value, `${under}${key}.`) : [`${under}${key}: ${typeof value}`]));
}

test('French has every text that English has', () => {
  const names = (/** @type {any} */ texts) => shape(texts).filter((name) => !name.startsWith('expressions.')).sort();
  assert.deepEqual(names(FR), names(EN));
});

test('French texts are French', () => {
  const french = new Language('fr-CA');
  assert.equal(french.code, 'fr');
  for (const phase of PHASES) assert.notEqual(french.wordsFor({ phase }).title,
    new Language().wordsFor({ phase }).title, phase);
  for (const reason of REASONS) assert.ok(french.wordsFor({ phase: 'failed', reason }).next.endsWith('.'), reason);
  assert.equal(french.expression('Happiness'), 'Joie');
  assert.equal(french.expression('wide_awake'), 'Wide awake'); // a model's own label
});

test('numbers are written as the locale does, whatever the texts', () => {
  assert.equal(new Language('en').percent(0.834), '83%');
  assert.match(new Language('fr').percent(0.834), /^83\s%$/);
  assert.equal(new Language('de').code, 'en');
  assert.equal(new Language('de').number(1234.5, 1), '1.234,5');
  assert.equal(new Language('no such thing!').locale, 'en');
  assert.equal(new Language('').number(3), '3');
});

test('of a picture that was given nothing is said of cameras', () => {
  for (const phase of /** @type {const} */ (['idle', 'connecting', 'paused', 'stopped'])) {
    for (const locale of ['en', 'fr']) {
      const { title, cause, next, button } = new Language(locale).wordsFor({ phase, supplied: true });
      assert.doesNotMatch([title, cause, button].join(' '), /cam[eé]ra/i, `${locale} ${phase} ${next}`);
    }
  }
});
