// The video source of a run: a camera or a supplied source. It is opened, changed and closed here.

import { closeCamera, openCamera } from './camera.js';
import { Failure } from './states.js';

/**
 * Which source to open: `supplied`, else the camera `deviceId`, else a camera that faces `facing`.
 * @typedef {{supplied?: import('./supplied.js').Supplied, deviceId?: string, facing?: import('./camera.js').Facing}}
 *   SourceChoice
 */

/**
 * @typedef {object} SourceHandlers
 * @property {(stream: MediaStream | undefined) => void} stream the stream was opened, changed or closed
 * @property {(run: AbortController, error: unknown) => void} failed the source could not be opened, or the camera was
 *   taken away
 * @property {() => void} ended a supplied source ended
 */

export class VideoSource {
  #on;
  /** @type {import('./supplied.js').Opened | undefined} */
  #opened;
  /** whether the newest source was opened */
  #opening = Promise.resolve(false);

  /** Whether the newest source is supplied, and whether this page draws its picture. */
  supplied = false;
  drawn = false;

  /** @param {SourceHandlers} on */
  constructor(on) {
    this.#on = on;
  }

  /** The track of the source, while it is open. */
  get track() {
    return this.#opened?.stream.getVideoTracks()[0];
  }

  /** The id of the camera in use; empty if there is none. */
  get deviceId() {
    return this.supplied ? '' : (this.track?.getSettings().deviceId ?? '');
  }

  /**
   * @param {AbortController} run that needs the source; its end does not close the source
   * @param {SourceChoice} choice
   * @returns {Promise<boolean>} whether the source is open and the run still active
   */
  open(run, choice) {
    this.supplied = choice.supplied !== undefined;
    this.drawn = this.supplied && !(choice.supplied instanceof MediaStream);
    return (this.#opening = this.#open(run, choice));
  }

  /**
   * Returns the track to send. Waits while a source is being opened or changed.
   * @param {AbortController} run
   * @returns {Promise<MediaStreamTrack | undefined>} undefined if the run has ended; it ends if the source fails
   */
  async ready(run) {
    let track;
    while (!track && (await this.#opening) && !run.signal.aborted) track = this.track;
    return track;
  }

  close() {
    if (!this.#opened) return;
    this.#opened.release();
    this.#opened = undefined;
    this.#on.stream(undefined);
  }

  /** @param {AbortController} run @param {SourceChoice} choice */
  async #open(run, choice) {
    let opened;
    try {
      opened = await open(choice);
    } catch (error) {
      this.#on.failed(run, error);
      return false;
    }
    if (run.signal.aborted) {
      opened.release();
      return false;
    }
    this.close(); // the later of two concurrent changes wins
    this.#opened = opened;
    opened.stream.getVideoTracks()[0].addEventListener('ended', () => {
      if (this.#opened !== opened) return;
      if (choice.supplied) this.#on.ended();
      else this.#on.failed(run, new Failure('camera-lost'));
    }, { signal: run.signal });
    this.#on.stream(opened.stream);
    return true;
  }
}

/** @param {SourceChoice} choice @returns {Promise<import('./supplied.js').Opened>} @throws {Failure} */
async function open({ supplied, deviceId, facing }) {
  if (typeof RTCPeerConnection === 'undefined') throw new Failure('unsupported');
  if (supplied) return (await import('./supplied.js')).openSupplied(supplied); // loaded on demand
  const stream = await openCamera(deviceId, facing);
  return { stream, release: () => closeCamera(stream) };
}
