// Perceptual colours: in OKLCh, equal steps of lightness look equal.

/**
 * Converts OKLCh to sRGB (Björn Ottosson, "A perceptual color space for image processing", 2020). Values outside
 * of the gamut are clipped.
 * @param {number} l lightness, 0..1
 * @param {number} c chroma, 0..0.37
 * @param {number} h hue, degrees
 * @returns {[number, number, number]} 0..255
 */
export function oklch(l, c, h) {
  const a = c * Math.cos((h * Math.PI) / 180);
  const b = c * Math.sin((h * Math.PI) / 180);
  const [x, y, z] = [
    l + 0.3963377774 * a + 0.2158037573 * b,
    l - 0.1055613458 * a - 0.0638541728 * b,
    l - 0.0894841775 * a - 1.291485548 * b,
  ].map((v) => v ** 3);
  return [
    byte(4.0767416621 * x - 3.3077115913 * y + 0.2309699292 * z),
    byte(-1.2684380046 * x + 2.6097574011 * y - 0.3413193965 * z),
    byte(-0.0041960863 * x - 0.7034186147 * y + 1.707614701 * z),
  ];
}

/** @param {number} linear @returns {number} sRGB, 0..255 */
function byte(linear) {
  const v = Math.min(1, Math.max(0, linear));
  return Math.round(255 * (v <= 0.0031308 ? 12.92 * v : 1.055 * v ** (1 / 2.4) - 0.055));
}

/** @param {[number, number, number]} rgb @returns {string} #rrggbb */
export function hex(rgb) {
  return `#${rgb.map((v) => v.toString(16).padStart(2, '0')).join('')}`;
}
