// The row of buttons and lists under the picture.

/**
 * @typedef {object} ControlHandlers
 * @property {() => void} pause pause or resume was pressed
 * @property {() => void} stop
 * @property {() => void} mirror
 * @property {(deviceId: string) => void} camera
 * @property {(name: string) => void} model
 * @property {(timing: string) => void} timing
 * @property {(show: string) => void} attention "off", "mean" or a head's number from 1
 */

export class Controls {
  #language;
  #pause;
  #stop;
  #mirror;
  #cameraField;
  #camera;
  #model;
  #attention;
  #timing;

  /**
   * @param {ParentNode} scope that holds the controls of template.js
   * @param {ControlHandlers} on
   * @param {import('../words/language.js').Language} language
   * @param {AbortSignal} signal ends the listeners
   */
  constructor(scope, on, language, signal) {
    this.#language = language;
    const button = (/** @type {string} */ name) => /** @type {HTMLButtonElement} */ (scope.querySelector(name));
    this.#pause = button('.pause');
    this.#stop = button('.stop');
    this.#mirror = button('.mirror');
    this.#cameraField = /** @type {HTMLElement} */ (scope.querySelector('.camera'));
    const select = (this.#camera = /** @type {HTMLSelectElement} */ (scope.querySelector('.camera select')));
    this.#model = new Choice(scope, '.model', on.model, signal);
    this.#attention = new Choice(scope, '.attention', on.attention, signal);
    this.#timing = new Choice(scope, '.timing', on.timing, signal);
    this.#pause.addEventListener('click', on.pause, { signal });
    this.#stop.addEventListener('click', on.stop, { signal });
    this.#mirror.addEventListener('click', on.mirror, { signal });
    select.addEventListener('change', () => on.camera(select.value), { signal });
  }

  /** @param {import('../client/states.js').Phase} phase */
  show(phase) {
    this.#pause.disabled = phase !== 'live' && phase !== 'paused';
    this.#pause.textContent = this.#language.text[phase === 'paused' ? 'resume' : 'pause'];
    this.#stop.disabled = phase === 'idle' || phase === 'stopped' || phase === 'failed';
  }

  /** Lists the models, if there are several. @param {readonly string[]} names @param {string} current */
  listModels(names, current) {
    this.#model.show(names.length > 1 ? names.map((name) => [name, name]) : [], current);
  }

  /**
   * Lists the attention modes.
   * @param {boolean} available whether the model has attention maps
   * @param {number} heads known so far
   * @param {import('./attention.js').AttentionMode} current
   */
  listAttention(available, heads, current) {
    /** @type {import('./attention.js').AttentionMode[]} */
    const shows = ['off', 'mean'];
    const most = Math.max(heads, typeof current === 'number' ? current : 0);
    for (let head = 1; head <= most; head++) shows.push(head);
    this.#attention.show(available ? shows.map((s) => [String(s), this.#language.attention(s)]) : [], String(current));
  }

  /**
   * Lists the timings.
   * @param {import('./attributes.js').Timing | undefined} current undefined if the browser supports only one
   */
  listTimings(current) {
    const { timing } = this.#language.phrases;
    this.#timing.show(current ? [['live', timing.live], ['exact', timing.exact]] : [], current ?? '');
  }

  /** @param {boolean} on */
  showMirror(on) {
    if (this.#mirror.ariaChecked !== String(on)) this.#mirror.setAttribute('aria-checked', String(on));
  }

  /**
   * Lists the cameras, if there are several.
   * @param {{id: string, name: string}[]} cameras
   * @param {string} current id of the one in use
   */
  listCameras(cameras, current) {
    this.#cameraField.hidden = cameras.length < 2 || current === '';
    this.#camera.replaceChildren(...cameras.map(({ id, name }, i) =>
      new Option(name || this.#language.phrases.camera(this.#language.number(i + 1)), id, false, id === current)));
  }
}

/** A list to choose from, visible while it has entries. */
class Choice {
  #field;
  #select;
  #shown = '';

  /**
   * @param {ParentNode} scope
   * @param {string} name of its field
   * @param {(value: string) => void} onpick
   * @param {AbortSignal} signal
   */
  constructor(scope, name, onpick, signal) {
    this.#field = /** @type {HTMLElement} */ (scope.querySelector(name));
    const select = (this.#select = /** @type {HTMLSelectElement} */ (scope.querySelector(`${name} select`)));
    select.addEventListener('change', () => onpick(select.value), { signal });
  }

  /** @param {readonly (readonly [value: string, text: string])[]} entries @param {string} current */
  show(entries, current) {
    const key = JSON.stringify([entries, current]);
    if (key === this.#shown) return; // the visitor's choice stays selected until the server confirms it
    this.#shown = key;
    const values = entries.map(([value]) => value);
    // Options are replaced only if they differ: an open or focused list must not be rebuilt.
    if (values.join() !== [...this.#select.options].map((o) => o.value).join()) {
      this.#select.replaceChildren(...entries.map(([value, text]) => new Option(text, value)));
    }
    this.#select.value = current;
    this.#field.hidden = entries.length === 0;
  }
}
