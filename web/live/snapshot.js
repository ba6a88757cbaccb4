// The displayed picture with its overlay, as a file.

/**
 * @param {HTMLVideoElement | HTMLCanvasElement} picture
 * @param {import('./geometry.js').Size} size of it
 * @param {HTMLCanvasElement} overlay of the size of the video's element
 * @param {boolean} mirror
 * @param {string} type of the file
 * @returns {Promise<Blob>}
 */
export async function snapshot(picture, { width, height }, overlay, mirror, type) {
  const canvas = document.createElement('canvas');
  Object.assign(canvas, { width, height });
  const ctx = canvas.getContext('2d');
  if (!ctx) throw new Error('the browser gives no 2D canvas');
  ctx.setTransform(mirror ? -1 : 1, 0, 0, 1, mirror ? width : 0, 0);
  ctx.drawImage(picture, 0, 0, width, height);
  ctx.setTransform(1, 0, 0, 1, 0, 0);
  // The overlay covers the whole element, the picture only a part of it (object-fit: contain).
  const scale = Math.min(overlay.width / width, overlay.height / height);
  const [w, h] = [width * scale, height * scale];
  if (scale > 0) ctx.drawImage(overlay, (overlay.width - w) / 2, (overlay.height - h) / 2, w, h, 0, 0, width, height);
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error(`the browser cannot write ${type}`))), type, 0.92);
  });
}
