// The camera: opens it, lists cameras, and names errors.

import { Failure } from './states.js';

/** @typedef {'user' | 'environment'} Facing towards the visitor or away: a phone's rear camera */

/**
 * Opens a camera.
 * @param {string} [deviceId] of a camera from `cameras`
 * @param {Facing} [facing] if no camera is named
 * @returns {Promise<MediaStream>} one video track, no sound
 * @throws {Failure}
 */
export async function openCamera(deviceId, facing = 'user') {
  // Browsers hide the interface from pages that are neither HTTPS nor localhost.
  if (!navigator.mediaDevices?.getUserMedia) throw await explained(new Failure('insecure'));
  if (typeof RTCPeerConnection === 'undefined') throw new Failure('unsupported');
  const which = deviceId ? { deviceId: { exact: deviceId } } : { facingMode: facing };
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({
      audio: false,
      video: { width: { ideal: 640 }, height: { ideal: 480 }, frameRate: { ideal: 30 }, ...which },
    });
  } catch (error) {
    throw await explained(cameraFailure(error));
  }
  // With the hint "motion" browsers start at half the size for several seconds: too small for distant faces.
  for (const track of stream.getVideoTracks()) track.contentHint = 'detail';
  return stream;
}

/**
 * The failure, or one that tells the page's author what its policy lacks.
 * @param {Failure} failure
 */
async function explained(failure) {
  if (failure.reason !== 'denied' && failure.reason !== 'insecure') return failure;
  const lacks = (await import('./policy.js')).missing();
  return lacks ? new Failure('policy', lacks) : failure;
}

/** @param {MediaStream | undefined} stream */
export function closeCamera(stream) {
  for (const track of stream?.getTracks() ?? []) track.stop();
}

/**
 * Lists the cameras. Before permission they have neither names nor ids and are left out.
 * @returns {Promise<{id: string, name: string}[]>} name: empty if the browser reports none
 */
export async function cameras() {
  const devices = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
  return devices
    .filter((d) => d.kind === 'videoinput' && d.deviceId !== '')
    .map((d) => ({ id: d.deviceId, name: d.label }));
}

/** @type {Record<string, import('./states.js').Reason>} */
const REASON_OF = {
  NotAllowedError: 'denied',
  SecurityError: 'denied',
  NotFoundError: 'no-camera',
  OverconstrainedError: 'no-camera',
  NotReadableError: 'busy',
  AbortError: 'busy',
};

/**
 * Maps an error of getUserMedia to a failure (Media Capture and Streams, §10.2).
 * @param {unknown} error
 * @returns {Failure}
 */
export function cameraFailure(error) {
  const name = error instanceof Error ? error.name : '';
  const detail = error instanceof Error ? error.message : String(error);
  return new Failure(REASON_OF[name] ?? 'camera-failed', detail);
}
