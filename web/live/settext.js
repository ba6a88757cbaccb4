// Sets an element's text if it differs: browsers lay out again even when the text is the same.

/** @param {Element} el @param {string} text */
export function setText(el, text) {
  if (el.textContent !== text) el.textContent = text;
}
