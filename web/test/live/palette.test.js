import assert from 'node:assert/strict';
import { test } from 'node:test';
import { colourOf, EXPRESSIONS, inkOn, luminance } from '../../live/palette.js';

// Simulation of full colour blindness in linear RGB: Machado, Oliveira and Fernandes, "A Physiologically-based
// Model for Simulation of Color Vision Deficiency", IEEE TVCG 2009, table for severity 1.0.
const SIGHT = {
  usual: [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
  protanopia: [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
  deuteranopia: [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
  tritanopia: [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
};

/** @param {string} colour @param {number[][]} sight @returns {number[]} CIE L*a*b* */
function lab(colour, sight) {
  const linear = [1, 3, 5].map((at) => {
    const c = parseInt(colour.slice(at, at + 2), 16) / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  });
  const seen = sight.map((row) => Math.min(1, Math.max(0, row.reduce((sum, v, i) => sum + v * linear[i], 0))));
  const [x, y, z] = [
    (0.4124 * seen[0] + 0.3576 * seen[1] + 0.1805 * seen[2]) / 0.9505,
    0.2126 * seen[0] + 0.7152 * seen[1] + 0.0722 * seen[2],
    (0.0193 * seen[0] + 0.1192 * seen[1] + 0.9505 * seen[2]) / 1.089,
  ].map((v) => (v > 0.008856 ? Math.cbrt(v) : 7.787 * v + 16 / 116));
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

const APART = 10; // ΔE*ab; 2.3 is just noticeable

for (const [name, sight] of Object.entries(SIGHT)) {
  test(`colours stay apart: ${name}`, () => {
    for (const [i, a] of EXPRESSIONS.entries()) {
      for (const b of EXPRESSIONS.slice(i + 1)) {
        const [p, q] = [lab(colourOf(a), sight), lab(colourOf(b), sight)];
        const apart = Math.hypot(...p.map((v, k) => v - q[k]));
        assert.ok(apart > APART, `${a} and ${b}: ${apart.toFixed(1)}`);
      }
    }
  });
}

test('a tag’s text is readable on every colour (WCAG AA)', () => {
  for (const label of [...EXPRESSIONS, 'boredom']) {
    const [hi, lo] = [luminance(colourOf(label)), luminance(inkOn(colourOf(label)))].sort((a, b) => b - a);
    assert.ok((hi + 0.05) / (lo + 0.05) >= 4.5, label);
  }
});

test('labels of other models have colours: of their own, or of the expression they name otherwise', () => {
  assert.equal(colourOf('Happiness'), colourOf('happy'));
  const labels = ['angry', ...Array.from({ length: 63 }, (_, i) => `l${i}`)];
  assert.equal(new Set(labels.map((l) => colourOf(l, labels))).size, 64);
  for (const label of [...labels, 'constructor', 'toString']) assert.match(colourOf(label, labels), /^#[0-9a-f]{6}$/);
});
