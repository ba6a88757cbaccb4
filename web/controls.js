// Pause, stop, mirror and the choice of a camera.

import { TEXT } from './words.js';

/**
 * @typedef {object} ControlHandlers
 * @property {() => void} pause pressed: pause or resume
 * @property {() => void} stop
 * @property {() => void} mirror
 * @property {(deviceId: string) => void} camera
 */

export class Controls {
  #pause;
  #stop;
  #mirror;
  #cameraField;
  #camera;

  /**
   * @param {ParentNode} scope that holds the controls of template.js
   * @param {ControlHandlers} on
   * @param {AbortSignal} signal ends the listening
   */
  constructor(scope, on, signal) {
    const button = (/** @type {string} */ name) => /** @type {HTMLButtonElement} */ (scope.querySelector(name));
    this.#pause = button('.pause');
    this.#stop = button('.stop');
    this.#mirror = button('.mirror');
    this.#cameraField = /** @type {HTMLElement} */ (scope.querySelector('.camera'));
    const select = (this.#camera = /** @type {HTMLSelectElement} */ (scope.querySelector('.camera select')));
    this.#pause.addEventListener('click', on.pause, { signal });
    this.#stop.addEventListener('click', on.stop, { signal });
    this.#mirror.addEventListener('click', on.mirror, { signal });
    select.addEventListener('change', () => on.camera(select.value), { signal });
  }

  /** @param {import('./states.js').Phase} phase */
  show(phase) {
    this.#pause.disabled = phase !== 'live' && phase !== 'paused';
    this.#pause.textContent = phase === 'paused' ? TEXT.resume : TEXT.pause;
    this.#stop.disabled = phase === 'idle' || phase === 'stopped' || phase === 'failed';
  }

  /** @param {boolean} on */
  showMirror(on) {
    this.#mirror.setAttribute('aria-checked', String(on));
  }

  /**
   * Offers the cameras, when there is a choice.
   * @param {{id: string, name: string}[]} cameras
   * @param {string} current id of the one in use
   */
  listCameras(cameras, current) {
    this.#cameraField.hidden = cameras.length < 2 || current === '';
    this.#camera.replaceChildren(...cameras.map(({ id, name }) => new Option(name, id, false, id === current)));
  }
}
