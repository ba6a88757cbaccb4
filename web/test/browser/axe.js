// An audit by axe-core.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { root } from './truth.js';

const AXE = path.join(root, 'node_modules/axe-core/axe.min.js');

/** Audits a page as it is. @param {import('puppeteer-core').Page} page @param {string} name */
export async function audit(page, name) {
  await page.evaluate(readFileSync(AXE, 'utf8'));
  const found = await page.evaluate(async () => {
    const { violations } = await /** @type {any} */ (window).axe.run(document, { resultTypes: ['violations'] });
    return violations.map((/** @type {any} */ v) =>
      `${v.id}: ${v.nodes.map((/** @type {any} */ n) => `${n.target} ${n.any?.[0]?.message ?? ''}`).join('; ')}`);
  });
  assert.deepEqual(found, [], name);
}
