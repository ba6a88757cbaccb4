// Writing to a document only what is not there yet: a browser lays out anew what is written, also where it was the same.

/** @param {Element} el @param {string} text */
export function setText(el, text) {
  if (el.textContent !== text) el.textContent = text;
}
