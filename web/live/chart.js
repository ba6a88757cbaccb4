// The timeline as a picture file, with its scale and legend.

import { colourOf } from './palette.js';
import { drawBands } from './timeline.js';

const WIDTH = 1200;
const HEIGHT = 420;
const EDGE = 24;
const BAND = { top: 60, height: 250 };
const FONT = '20px system-ui, sans-serif';

/**
 * @param {import('./timeline.js').TimelinePicture} shown
 * @param {import('../words/language.js').Language} language
 * @param {Date} at time of the export
 * @returns {Promise<Blob>} PNG
 */
export async function chartPicture(shown, language, at) {
  const canvas = document.createElement('canvas');
  Object.assign(canvas, { width: WIDTH, height: HEIGHT });
  const ctx = canvas.getContext('2d');
  if (!ctx) throw new Error('the browser gives no 2D canvas');
  ctx.fillStyle = '#ffffff';
  ctx.fillRect(0, 0, WIDTH, HEIGHT);
  ctx.fillStyle = '#eceef1';
  ctx.fillRect(EDGE, BAND.top, WIDTH - 2 * EDGE, BAND.height);
  ctx.save();
  ctx.beginPath();
  ctx.rect(EDGE, BAND.top, WIDTH - 2 * EDGE, BAND.height);
  ctx.clip();
  ctx.setTransform(WIDTH - 2 * EDGE, 0, 0, BAND.height, EDGE, BAND.top);
  drawBands(ctx, shown);
  ctx.restore();
  ctx.fillStyle = '#1b1e24';
  ctx.font = FONT;
  ctx.fillText(`${language.text.timeline} · ${at.toLocaleString(language.locale)}`, EDGE, 38);
  const seconds = (/** @type {number} */ n) => `−${language.phrases.seconds(language.number(n))}`;
  [[seconds(60), 0, 'left'], [seconds(30), 0.5, 'center'], [language.text.now, 1, 'right']]
    .forEach(([text, x, align]) => {
    ctx.textAlign = /** @type {CanvasTextAlign} */ (align);
    ctx.fillText(String(text), EDGE + Number(x) * (WIDTH - 2 * EDGE), BAND.top + BAND.height + 28);
  });
  legend(ctx, shown.labels, language);
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error('the browser cannot write the picture'))),
      'image/png');
  });
}

/**
 * @param {CanvasRenderingContext2D} ctx
 * @param {readonly string[]} labels
 * @param {import('../words/language.js').Language} language
 */
function legend(ctx, labels, language) {
  ctx.textAlign = 'left';
  let [x, y] = [EDGE, HEIGHT - 46];
  for (const label of labels) {
    const name = language.expression(label);
    const width = 26 + ctx.measureText(name).width + 22;
    if (x + width > WIDTH - EDGE) [x, y] = [EDGE, y + 28];
    if (y > HEIGHT) return;
    ctx.fillStyle = colourOf(label, labels);
    ctx.fillRect(x, y - 15, 18, 18);
    ctx.fillStyle = '#1b1e24';
    ctx.fillText(name, x + 26, y);
    x += width;
  }
}
