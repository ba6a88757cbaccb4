// The card over the picture: what is the case, why, and what to do now.

/** @type {ReadonlySet<import('../client/states.js').Phase>} */
const WITHOUT_CARD = new Set(['live']);
/** @type {ReadonlySet<import('../client/states.js').Phase>} */
const BUSY = new Set(['asking', 'connecting', 'reconnecting']);
/** @type {ReadonlySet<import('../client/states.js').Phase>} where the visitor is about to start, and so is told what will happen */
const BEFORE = new Set(['idle', 'stopped']);

export class Card {
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

  /** @param {ParentNode} scope that holds the card of template.js @param {string} host where the picture goes @param {import('../words/language.js').Language} language */
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
    this.#root.hidden = WITHOUT_CARD.has(state.phase);
    this.#root.dataset.phase = state.phase;
    write(this.#title, words.title);
    write(this.#cause, words.cause);
    write(this.#next, words.next);
    write(this.#detail, state.phase === 'failed' || state.phase === 'full' ? (state.detail ?? '') : '');
    write(this.#button, words.button ?? '');
    this.#notice.hidden = !BEFORE.has(state.phase);
    if (!this.#notice.hidden) this.#tell(state.given === true);
    const hopeless = state.reason === 'unsupported' || state.reason === 'version'; // a file would go the same way
    this.#file.hidden = !BEFORE.has(state.phase) && (state.phase !== 'failed' || hopeless);
    this.#spinner.hidden = !BUSY.has(state.phase);
    this.#countDown(state);
  }

  /** Says what will happen. @param {boolean} given whether the picture is not a camera's */
  #tell(given) {
    this.#notice.replaceChildren(...this.#language.say.notice(this.#host, given).map((line) => {
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
    if (!waits) return write(this.#count, '');
    const tick = () => {
      const left = Math.max(0, Math.ceil(((retryAt ?? 0) - performance.now()) / 1000));
      write(this.#count, this.#language.countdown(left, attempt));
      if (left === 0) clearInterval(this.#timer);
    };
    if (retryAt !== undefined) this.#timer = setInterval(tick, 250);
    tick();
  }
}

/** @param {HTMLElement} el @param {string} text */
function write(el, text) {
  el.textContent = text;
  el.hidden = text === '';
}
