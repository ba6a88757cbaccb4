// What expressions are called.

/** Other names of them in use. @type {Record<string, string>} */
const ALSO = {
  happiness: 'happy', sadness: 'sad', surprised: 'surprise', fearful: 'fear', disgusted: 'disgust', angry: 'anger',
  contemptuous: 'contempt',
};

/** One name for all that an expression is called. @param {string} label */
export function expressionKey(label) {
  const name = label.toLowerCase();
  return Object.hasOwn(ALSO, name) ? ALSO[name] : name;
}
