// The card over the picture: what happened, why, and what to do now.

/** @type {ReadonlySet<import('../client/states.js').Phase>} */
const HIDDEN = new Set(['live']);
/** @type {ReadonlySet<import('../client/states.js').Phase>} */
const BUSY = new Set(['asking', 'connecting', 'reconnecting']);
/** @type {ReadonlySet<import('../client/states.js').Phase>} phases before a start, which show the privacy notice */
const NOT_STARTED = new Set(['idle', 'stopped']);

export class StatusCard {
  #language;
  #root;
  #title;
  #cause;
  #next;
  #detail;
  #count;
  #notice;
  #file;
  #host;
  #button;
  #spinner;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #timer;

  /**
   * @param {ParentNode} scope that holds the card of template.js
   * @param {string} host that receives the picture
   * @param {import('../words/language.js').Language} language
   */
  constructor(scope, host, language) {
    this.#language = language;
    this.#host = host;
    const find = (/** @type {string} */ name) => /** @type {HTMLElement} */ (scope.querySelector(name));
    this.#root = find('.card');
    this.#title = find('.card-title');
    this.#cause = find('.card-cause');
    this.#next = find('.card-next');
    this.#detail = find('.card-detail');
    this.#count = find('.card-count');
    this.#notice = find('.card-notice');
    this.#file = find('.card-file');
    this.#button = find('.card-button');
    this.#spinner = find('.card-spinner');
  }

  /** @param {import('../client/states.js').State} state */
  show(state) {
    const words = this.#language.wordsFor(state);
    this.#root.hidden = HIDDEN.has(state.phase);
    this.#root.dataset.phase = state.phase;
    setTextOrHide(this.#title, words.title);
    setTextOrHide(this.#cause, words.cause);
    setTextOrHide(this.#next, words.next);
    setTextOrHide(this.#detail, state.phase === 'failed' || state.phase === 'full' ? (state.detail ?? '') : '');
    setTextOrHide(this.#button, words.button ?? '');
    this.#notice.hidden = !NOT_STARTED.has(state.phase);
    if (!this.#notice.hidden) this.#showNotice(state.supplied === true);
    const hopeless = state.reason === 'unsupported' || state.reason === 'version'; // a file would fail the same way
    this.#file.hidden = !NOT_STARTED.has(state.phase) && (state.phase !== 'failed' || hopeless);
    this.#spinner.hidden = !BUSY.has(state.phase);
    this.#countDown(state);
  }

  /** Shows the privacy notice. @param {boolean} supplied whether the source is supplied, not a camera */
  #showNotice(supplied) {
    this.#notice.replaceChildren(...this.#language.phrases.notice(this.#host, supplied).map((line) => {
      const item = document.createElement('li');
      item.textContent = line;
      return item;
    }));
  }

  /** Stops the countdown. */
  release() {
    clearInterval(this.#timer);
  }

  /** @param {import('../client/states.js').State} state */
  #countDown({ phase, retryAt, attempt, ahead }) {
    clearInterval(this.#timer);
    const waits = (phase === 'full' && ahead === undefined) || phase === 'reconnecting';
    if (!waits) return setTextOrHide(this.#count, '');
    const tick = () => {
      const left = Math.max(0, Math.ceil(((retryAt ?? 0) - performance.now()) / 1000));
      setTextOrHide(this.#count, this.#language.countdown(left, attempt));
      if (left === 0) clearInterval(this.#timer);
    };
    if (retryAt !== undefined) this.#timer = setInterval(tick, 250);
    tick();
  }
}

/** @param {HTMLElement} el @param {string} text */
function setTextOrHide(el, text) {
  el.textContent = text;
  el.hidden = text === '';
}
