// The picture of a run, opened, changed and let go of: a camera's, or one that was given.

import { closeCamera, openCamera } from './camera.js';
import { Failure } from './states.js';

/**
 * What to open: `given`, else the camera `deviceId`, else one that faces `facing`.
 * @typedef {{supplied?: import('./supplied.js').Supplied, deviceId?: string, facing?: import('./camera.js').Facing}} SourceChoice
 */

/**
 * @typedef {object} SourceHandlers
 * @property {(stream: MediaStream | undefined) => void} stream the picture came, changed or went
 * @property {(run: AbortController, error: unknown) => void} failed it did not come, or the camera was taken away
 * @property {() => void} ended one that was given came to its end
 */

export class VideoSource {
  #on;
  /** @type {import('./supplied.js').Opened | undefined} */
  #opened;
  /** of the newest picture: whether it came */
  #opening = Promise.resolve(false);

  /** Whether the newest picture was given, and whether this page draws it. */
  supplied = false;
  drawn = false;

  /** @param {SourceHandlers} on */
  constructor(on) {
    this.#on = on;
  }

  /** The track of the picture, while there is one. */
  get track() {
    return this.#opened?.stream.getVideoTracks()[0];
  }

  /** The camera in use; empty when there is none. */
  get deviceId() {
    return this.supplied ? '' : (this.track?.getSettings().deviceId ?? '');
  }

  /**
   * @param {AbortController} run that the picture is for; its end does not close the source
   * @param {SourceChoice} choice
   * @returns {Promise<boolean>} whether the run has its picture
   */
  open(run, choice) {
    this.supplied = choice.supplied !== undefined;
    this.drawn = this.supplied && !(choice.supplied instanceof MediaStream);
    return (this.#opening = this.#open(run, choice));
  }

  /**
   * The track to send. It waits for a picture that is being opened, also when that is changed meanwhile.
   * @param {AbortController} run
   * @returns {Promise<MediaStreamTrack | undefined>} undefined when the run has ended; a picture that fails ends it
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
    this.close(); // of two changes at once the later wins
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
  if (supplied) return (await import('./supplied.js')).openSupplied(supplied); // most pages never load it
  const stream = await openCamera(deviceId, facing);
  return { stream, release: () => closeCamera(stream) };
}
