// Converts between fractions of the frame and pixels of the view.

/** @typedef {{width: number, height: number}} Size */
/** @typedef {{x: number, y: number, width: number, height: number}} Rect */

/**
 * Returns the rectangle of a picture in a view, as CSS object-fit places it. With `cover` it exceeds the view.
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
 * Converts a box of the protocol to the view's pixels. Boxes are never mirrored, views may be.
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
 * Returns the position of a box's tag: above the box, or inside its top if there is no room; always within the view.
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
 * Returns the smallest rectangle under a point, so that a face in front of a bigger one can be picked.
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
