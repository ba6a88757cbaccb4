// The colours of the expressions, the same in boxes, bars and timeline.

import { hex, oklch } from './colour.js';
import { expressionKey } from '../words/expressions.js';

// The palette of Okabe and Ito (Color Universal Design, 2008), which suits all common kinds of colour blindness.
// Its black is a light grey here, visible on dark ground too. (A darker grey would look like fear's pink
// to people without red-green vision.)
/** @type {Record<string, string>} */
const COLOURS = {
  neutral: '#b4b8be',
  happy: '#f0e442',
  sad: '#0072b2',
  surprise: '#56b4e9',
  fear: '#cc79a7',
  disgust: '#009e73',
  anger: '#d55e00',
  contempt: '#e69f00',
};

/** The expressions that have a colour, in the order of display until a model names its own. */
export const EXPRESSIONS = Object.keys(COLOURS);

/** @param {string} label @returns {string | undefined} */
function own(label) {
  const known = expressionKey(label);
  return Object.hasOwn(COLOURS, known) ? COLOURS[known] : undefined;
}

/**
 * Labels other than the eight get a colour by their index in the model: hues a golden angle apart,
 * with three lightnesses in turn.
 * @param {string} label
 * @param {readonly string[]} [labels] of its model
 * @returns {string} #rrggbb
 */
export function colourOf(label, labels = []) {
  const colour = own(label);
  if (colour) return colour;
  const place = Math.max(0, labels.filter((l) => !own(l)).indexOf(label));
  return hex(oklch([0.74, 0.86, 0.62][place % 3], 0.1, (150 + 137.508 * place) % 360));
}

/** @type {Map<string, string>} by colour */
const INKS = new Map();

/**
 * Returns black or white, whichever has more contrast on a colour (WCAG 2.2, relative luminance).
 * @param {string} colour #rrggbb
 */
export function inkOn(colour) {
  let ink = INKS.get(colour);
  if (!ink) {
    const l = luminance(colour);
    ink = (l + 0.05) / 0.05 > 1.05 / (l + 0.05) ? '#000000' : '#ffffff';
    INKS.set(colour, ink);
  }
  return ink;
}

/** @param {string} colour #rrggbb @returns {number} 0..1 */
export function luminance(colour) {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const c = parseInt(colour.slice(at, at + 2), 16) / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
