// What the pipeline sees in the frames of a clip, and how well labels that came over WebRTC fit to it.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { MEDIA } from './driver.js';

export const root = path.join(import.meta.dirname, '../../..');
export const fps = 30;
const run = promisify(execFile);
const clip = path.join(MEDIA, 'woman-distress-to-laugh.mp4');

/** Whether the clip is the one of the test media, with one face whose expressions are known. */
export const ours = existsSync(clip);

/** The clip of the test media, or one of photographs from npm's @vladmandic/face-api. */
export async function aClip() {
  if (ours) return clip;
  const photos = path.join(root, 'node_modules/@vladmandic/face-api/demo');
  assert.ok(readdirSync(photos).some((name) => /^sample\d\.jpg$/.test(name)),
    `no photographs in ${photos}; run make test`);
  const folder = path.join(tmpdir(), 'mindflow-cameras');
  mkdirSync(folder, { recursive: true });
  const out = path.join(folder, 'photographs.mp4');
  await run('ffmpeg', ['-v', 'error', '-y', '-framerate', '1/3', '-pattern_type', 'glob', '-i',
    path.join(photos, 'sample*.jpg'),
    '-vf', 'scale=640:480:force_original_aspect_ratio=decrease,pad=640:480:-1:-1,format=yuv420p', '-r', '24', out]);
  return out;
}

/** The pipeline's own messages of a camera's file, a frame each. @param {string} camera @returns {Promise<any[]>} */
export async function analyse(camera) {
  const { stdout } = await run(path.join(root, 'bin/mindflow'), ['video', camera, '--json'], { maxBuffer: 1 << 28 });
  return stdout.trim().split('\n').map((line) => JSON.parse(line));
}

/** @typedef {[number, number, number, number]} Box */

/** @param {Box} a @param {Box} b */
export function iou(a, b) {
  const w = Math.min(a[0] + a[2], b[0] + b[2]) - Math.max(a[0], b[0]);
  const h = Math.min(a[1] + a[3], b[1] + b[3]) - Math.max(a[1], b[1]);
  return w > 0 && h > 0 ? (w * h) / (a[2] * a[3] + b[2] * b[3] - w * h) : 0;
}

/** How well a message's boxes lie on those of a frame: one number a box. @param {any} message @param {any} frame */
export const fit = (message, frame) => message.faces
  .map((/** @type {any} */ face) => Math.max(0, ...frame.faces.map((/** @type {any} */ f) => iou(face.box, f.box))));

/**
 * Finds where in the looping clip the camera was at RTP time 0, and lays each message on its frame.
 * @param {any[]} messages
 * @param {any[]} frames the pipeline's own messages, one a frame of the clip
 */
export function align(messages, frames) {
  const times = messages.map((m) => ((m.rtp - messages[0].rtp) >>> 0) / 90_000); // RTP time wraps at 2³²
  const frameOf = (/** @type {number} */ i, /** @type {number} */ offset) =>
    Math.round(times[i] * fps + offset) % frames.length;
  let best = { offset: 0, sum: -1 };
  for (let offset = 0; offset < frames.length; offset += 0.5) {
    const sum = messages.reduce((total, m, i) => total
      + fit(m, frames[frameOf(i, offset)]).reduce((/** @type {number} */ a, /** @type {number} */ b) => a + b, 0), 0);
    if (sum > best.sum) best = { offset, sum };
  }
  return messages.map((message, i) => ({ message, at: frameOf(i, best.offset) }));
}
