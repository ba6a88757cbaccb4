// Where things lie: from fractions of the frame to pixels of the view.

/** @typedef {{width: number, height: number}} Size */
/** @typedef {{x: number, y: number, width: number, height: number}} Rect */

/**
 * The rectangle that a picture fills in a view, as CSS object-fit places it. With `cover` it reaches
 * outside the view.
 * @param {Size} picture
 * @param {Size} view
 * @param {'contain' | 'cover'} fit
 * @returns {Rect}
 */
export function fitPicture(picture, view, fit) {
  const scales = [view.width / picture.width, view.height / picture.height];
  const scale = fit === 'cover' ? Math.max(...scales) : Math.min(...scales);
  const width = picture.width * scale;
  const height = picture.height * scale;
  return { x: (view.width - width) / 2, y: (view.height - height) / 2, width, height };
}

/**
 * A box of the protocol in the view's pixels. The box is never mirrored, the view of it may be.
 * @param {[number, number, number, number]} box x, y, w, h in fractions of the frame
 * @param {Rect} area of the picture, from fitPicture
 * @param {boolean} mirror
 * @returns {Rect}
 */
export function placeBox([x, y, w, h], area, mirror) {
  const left = mirror ? 1 - x - w : x;
  return {
    x: area.x + left * area.width,
    y: area.y + y * area.height,
    width: w * area.width,
    height: h * area.height,
  };
}

/**
 * Where a box's tag goes: above it, or inside its top when there is no room above; always in the view.
 * @param {Rect} box
 * @param {Size} tag
 * @param {Size} view
 * @returns {{x: number, y: number}} the tag's top left corner
 */
export function placeTag(box, tag, view) {
  const above = box.y - tag.height;
  return {
    x: clamp(box.x, 0, view.width - tag.width),
    y: clamp(above >= 0 ? above : box.y, 0, view.height - tag.height),
  };
}

/**
 * The smallest rectangle under a point, so that a face in front of a bigger one can be picked.
 * @param {{x: number, y: number}} point
 * @param {Rect[]} rects
 * @returns {number} its index, or -1
 */
export function rectAt(point, rects) {
  let best = -1;
  rects.forEach((r, i) => {
    const inside = point.x >= r.x && point.x <= r.x + r.width && point.y >= r.y && point.y <= r.y + r.height;
    if (inside && (best < 0 || area(r) < area(rects[best]))) best = i;
  });
  return best;
}

/** @param {Size} r */
function area(r) {
  return r.width * r.height;
}

/** @param {number} value @param {number} min @param {number} max */
function clamp(value, min, max) {
  return Math.max(min, Math.min(max, value));
}
