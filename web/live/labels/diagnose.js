// Explains missing and uncertain labels by measuring the picture on the visitor's device.

/**
 * @typedef {object} Light of a region
 * @property {number} mean luma, 0..255
 * @property {number} clipped share of nearly white pixels, 0..1
 * @property {number} deviation of the luma; small if there is nothing to see
 * @property {number} sharpness mean square of the Laplacian over 16 times the variance of the luma; low if edges are
 *   blurred
 */

/** @typedef {{width: number, height: number, luma: Uint8ClampedArray | Float32Array}} Luma row by row */

const DARK = 40;
const CLIPPED = 0.5;
const EVEN = 20; // a wall is not a blurred picture
// Of twelve photographs with faces, at 64×64, the least sharp has 0.024; after a box blur of a sixteenth of their width
// the sharpest has 0.0014.
const BLURRED = 0.008;
const FAR = 48; // pixels of a face's width in the sent frame, half of the classifier's input
const TURNED = 0.8; // detector score

/** @param {Luma} picture @returns {Light} */
export function measure({ width, height, luma }) {
  let [sum, squares, white, edges] = [0, 0, 0, 0];
  for (const v of luma) {
    sum += v;
    squares += v * v;
    if (v > 245) white++;
  }
  for (let y = 1; y < height - 1; y++) {
    for (let x = 1; x < width - 1; x++) {
      const i = y * width + x;
      const laplacian = luma[i - 1] + luma[i + 1] + luma[i - width] + luma[i + width] - 4 * luma[i];
      edges += laplacian * laplacian;
    }
  }
  const n = luma.length;
  const mean = sum / n;
  const variance = squares / n - mean * mean;
  const sharpness = variance > 1 ? edges / Math.max(1, (width - 2) * (height - 2)) / (16 * variance) : 0;
  return { mean, clipped: white / n, deviation: Math.sqrt(Math.max(0, variance)), sharpness };
}

/** @typedef {'no-face' | 'dark' | 'bright' | 'blurred'} NoFace */

/** Explains why no face is found. @param {Light | undefined} light of the whole picture @returns {NoFace} */
export function whyNoFace(light) {
  if (!light) return 'no-face';
  if (light.mean < DARK) return 'dark';
  if (light.clipped > CLIPPED) return 'bright';
  return isBlurred(light) ? 'blurred' : 'no-face';
}

/** @typedef {'face-far' | 'face-dark' | 'face-blurred' | 'face-turned'} Unsure */

/**
 * Explains why a face's label is uncertain, if the picture shows the cause.
 * @param {import('../../client/wire.js').Face} face
 * @param {number} width of the sent frame, pixels
 * @param {Light | undefined} light of the face
 * @returns {Unsure | undefined}
 */
export function whyUnsure(face, width, light) {
  if (face.box[2] * width < FAR) return 'face-far';
  if (light && light.mean < DARK) return 'face-dark';
  if (light && isBlurred(light)) return 'face-blurred';
  return face.score < TURNED ? 'face-turned' : undefined;
}

/** @param {Light} light */
function isBlurred({ deviation, sharpness }) {
  return deviation > EVEN && sharpness < BLURRED;
}

const SIDE = 64; // pixels of the reduced picture that is measured

/** Measures regions of a video's picture. */
export class LightMeter {
  #canvas = document.createElement('canvas');
  #ctx = this.#canvas.getContext('2d', { willReadFrequently: true });
  #luma = new Float32Array(SIDE * SIDE);

  constructor() {
    this.#canvas.width = this.#canvas.height = SIDE;
  }

  /**
   * @param {HTMLVideoElement} video
   * @param {[number, number, number, number]} box x, y, w, h in fractions of the picture
   * @returns {Light | undefined} undefined if there is no picture
   */
  read(video, [x, y, w, h]) {
    const { videoWidth: width, videoHeight: height } = video;
    if (width === 0 || !this.#ctx || w <= 0 || h <= 0) return undefined;
    this.#ctx.drawImage(video, x * width, y * height, w * width, h * height, 0, 0, SIDE, SIDE);
    const { data } = this.#ctx.getImageData(0, 0, SIDE, SIDE);
    for (let i = 0; i < this.#luma.length; i++) {
      this.#luma[i] = 0.299 * data[4 * i] + 0.587 * data[4 * i + 1] + 0.114 * data[4 * i + 2];
    }
    return measure({ width: SIDE, height: SIDE, luma: this.#luma });
  }
}
