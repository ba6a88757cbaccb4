// Names of expressions.

/** Synonyms in use. @type {Record<string, string>} */
const ALSO = {
  happiness: 'happy', sadness: 'sad', surprised: 'surprise', fearful: 'fear', disgusted: 'disgust', angry: 'anger',
  contemptuous: 'contempt',
};

/** Returns the canonical name of an expression. @param {string} label */
export function expressionKey(label) {
  const name = label.toLowerCase();
  return Object.hasOwn(ALSO, name) ? ALSO[name] : name;
}
