// Sources that a page supplies instead of the camera: a stream, a playing <video>, a picture or video file.

import { Failure } from './states.js';

/** @typedef {MediaStream | HTMLVideoElement | Blob} Supplied */

/** @typedef {{stream: MediaStream, release: () => void}} Opened stream: one video track, owned by us */

const MAX_SIDE = 1280; // pixels; photographs have many more than the server can use
const STILL_MS = 100; // interval at which a still picture is sent again

/**
 * @param {Supplied} supplied
 * @returns {Promise<Opened>}
 * @throws {Failure} source or format
 */
export async function openSupplied(supplied) {
  try {
    if (supplied instanceof MediaStream) return fromStream(supplied);
    if (supplied instanceof HTMLVideoElement) return fromVideo(supplied);
    return supplied.type.startsWith('video/') ? await fromVideoFile(supplied) : await fromPicture(supplied);
  } catch (error) {
    if (error instanceof Failure) throw error;
    const format = supplied instanceof Blob && await (await import('./formats.js')).formatOf(supplied);
    if (format) throw new Failure('format', format);
    throw new Failure('source', error instanceof Error ? error.message : String(error));
  }
}

/**
 * Copies the track, so that changes to it and its end do not affect the page's.
 * @param {MediaStream} supplied
 * @returns {Opened}
 */
function fromStream(supplied) {
  const track = supplied.getVideoTracks().find((t) => t.readyState === 'live')?.clone();
  if (!track) throw new Failure('source', 'the stream has no live video track');
  track.contentHint = 'detail';
  return { stream: new MediaStream([track]), release: () => track.stop() };
}

/** @param {HTMLVideoElement} video that the page plays @returns {Opened} */
function fromVideo(video) {
  const { draw, opened } = canvasSource(() => [video.videoWidth, video.videoHeight], video);
  let request = 0;
  const next = () => {
    draw();
    request = video.requestVideoFrameCallback(next);
  };
  next();
  return { ...opened, release: () => {
    video.cancelVideoFrameCallback(request);
    opened.release();
  } };
}

/** @param {Blob} file a video, played in a loop @returns {Promise<Opened>} */
async function fromVideoFile(file) {
  const video = document.createElement('video');
  const url = URL.createObjectURL(file);
  const close = () => {
    video.removeAttribute('src');
    video.load();
    URL.revokeObjectURL(url);
  };
  Object.assign(video, { src: url, muted: true, loop: true, playsInline: true });
  try {
    await video.play();
    if (video.videoWidth === 0) throw new Error('the file holds no video'); // or one in an unknown codec
    const { stream, release } = fromVideo(video);
    return { stream, release: () => { release(); close(); } };
  } catch (error) {
    close();
    throw error;
  }
}

/** @param {Blob} file a picture @returns {Promise<Opened>} */
async function fromPicture(file) {
  const picture = await createImageBitmap(file);
  const { draw, opened } = canvasSource(() => [picture.width, picture.height], picture);
  draw();
  const timer = setInterval(draw, STILL_MS);
  return { ...opened, release: () => {
    clearInterval(timer);
    opened.release();
    picture.close();
  } };
}

/**
 * Draws pictures on a canvas whose stream is sent.
 * @param {() => [width: number, height: number]} measure
 * @param {CanvasImageSource} picture
 */
function canvasSource(measure, picture) {
  const canvas = document.createElement('canvas');
  const ctx = canvas.getContext('2d');
  if (!ctx) throw new Failure('source', 'the browser gives no 2D canvas');
  const draw = () => {
    const [width, height] = measure();
    if (width === 0 || height === 0) return;
    const scale = Math.min(1, MAX_SIDE / Math.max(width, height));
    const [w, h] = [Math.max(2, Math.round(width * scale)), Math.max(2, Math.round(height * scale))];
    if (canvas.width !== w || canvas.height !== h) Object.assign(canvas, { width: w, height: h });
    ctx.drawImage(picture, 0, 0, w, h);
  };
  draw();
  const stream = canvas.captureStream(); // throws if the picture is from another origin
  const [track] = stream.getVideoTracks();
  track.contentHint = 'detail';
  return { draw, opened: { stream, release: () => track.stop() } };
}
