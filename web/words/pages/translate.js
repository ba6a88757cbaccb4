// What our pages say outside of the element: English stands in their HTML, French is put in its place for whom the browser says so.

/** Whether the visitor is spoken to in French. */
export function prefersFrench() {
  return /^fr\b/i.test(navigator.language);
}

/** Puts texts in the place of those that the page came with. @param {Record<string, string>} texts in French, by their `data-text` */
export function translate(texts) {
  document.documentElement.lang = 'fr';
  for (const el of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('[data-text]'))) {
    const text = texts[el.dataset.text ?? ''];
    if (text) el.textContent = text;
  }
}
