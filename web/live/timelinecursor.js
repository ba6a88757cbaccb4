// Reads out the timeline at a position, chosen with the pointer or the arrow keys.

const STEP = 1 / 60; // one second

export class TimelineCursor {
  #strip;
  #tip;
  #holdButton;
  #timeline;
  #language;

  /**
   * @param {ParentNode} scope that holds the timeline of template.js
   * @param {import('./timeline.js').Timeline} timeline
   * @param {import('../words/language.js').Language} language
   * @param {AbortSignal} signal ends the listeners
   */
  constructor(scope, timeline, language, signal) {
    const find = (/** @type {string} */ name) => /** @type {HTMLElement} */ (scope.querySelector(name));
    this.#strip = find('.strip');
    this.#tip = find('.tip');
    this.#holdButton = find('.hold');
    this.#timeline = timeline;
    this.#language = language;
    find('.axis-60').textContent = `−${language.phrases.seconds(language.number(60))}`;
    find('.axis-30').textContent = `−${language.phrases.seconds(language.number(30))}`;
    this.#holdButton.addEventListener('click', () => this.#toggle(), { signal });
    this.#strip.addEventListener('pointermove', (e) => {
      const { left, width } = this.#strip.getBoundingClientRect();
      this.#show((e.clientX - left) / width);
    }, { signal });
    this.#strip.addEventListener('pointerleave', () => this.#show(undefined), { signal });
    this.#strip.addEventListener('blur', () => this.#show(undefined), { signal });
    this.#strip.addEventListener('keydown', (e) => this.#key(e), { signal });
  }

  #toggle() {
    const on = this.#holdButton.getAttribute('aria-pressed') !== 'true';
    this.#holdButton.setAttribute('aria-pressed', String(on));
    this.#timeline.hold(on);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const at = this.#timeline.cursor ?? 1;
    const to = { ArrowLeft: at - STEP, ArrowRight: at + STEP, PageDown: at - 10 * STEP, PageUp: at + 10 * STEP, Home: 0,
      End: 1 }[event.key];
    if (event.key === ' ') this.#toggle();
    else if (to === undefined) return;
    else this.#show(to);
    event.preventDefault();
  }

  /** @param {number | undefined} x fraction of the width; undefined hides the cursor */
  #show(x) {
    const place = x === undefined ? undefined : Math.min(1, Math.max(0, x));
    this.#timeline.cursor = place;
    this.#tip.hidden = place === undefined;
    this.#timeline.draw(performance.now());
    if (place === undefined) return;
    const text = this.#text(place);
    this.#tip.textContent = text;
    this.#tip.style.left = `${100 * place}%`;
    this.#tip.style.transform = `translateX(${-100 * place}%)`;
    this.#strip.setAttribute('aria-valuenow', String(-this.#timeline.at(place).ago));
    this.#strip.setAttribute('aria-valuetext', text);
  }

  /** @param {number} place */
  #text(place) {
    const { phrases, text } = this.#language;
    const { ago, sample } = this.#timeline.at(place);
    const { labels } = this.#timeline.shown;
    const best = (sample?.scores ?? []).map((score, i) => ({ score, label: labels[i] }))
      .sort((a, b) => b.score - a.score).slice(0, 2);
    const what = best.map(({ score, label }) => `${this.#language.expression(label)} ${this.#language.percent(score)}`)
      .join(', ');
    return `${phrases.ago(this.#language.number(ago))} · ${what || text.nothing}`;
  }
}
