// Translates our pages outside of the element. Their HTML is in English; French replaces it if the browser prefers
// French.

/** Reports whether the browser prefers French. */
export function prefersFrench() {
  return /^fr\b/i.test(navigator.language);
}

/** Replaces the texts of the page. @param {Record<string, string>} texts in French, by their `data-text` */
export function translate(texts) {
  document.documentElement.lang = 'fr';
  for (const el of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('[data-text]'))) {
    const text = texts[el.dataset.text ?? ''];
    if (text) el.textContent = text;
  }
}
