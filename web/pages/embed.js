// The page /embed, for frames in pages of other sites: the element alone. It reports its height and passes its events
// to the page around it.

/** Attributes that the frame's URL may set: /embed?mirror=off&locale=fr */
const NAMES = ['mirror', 'facing', 'max-faces', 'overlay', 'timing', 'locale', 'model', 'attention', 'autostart'];

const live = /** @type {import('../live/element.js').MindflowLive} */ (document.querySelector('mindflow-live'));
void customElements.whenDefined('mindflow-live').then(() => document.getElementById('missing')?.remove());
const wanted = new URLSearchParams(location.search);
for (const name of NAMES) {
  const value = wanted.get(name);
  if (value !== null) live.setAttribute(name, value);
}
if (!wanted.has('locale')) live.locale = navigator.language;
document.documentElement.lang = /^fr\b/i.test(live.locale) ? 'fr' : 'en'; // the language of its texts: see language.js

if (parent !== window) {
  // The operator decides which pages may embed this one and so receive these messages: --allow-origin,
  // --frame-ancestors.
  const send = (/** @type {object} */ message) => parent.postMessage(message, '*');
  new ResizeObserver(() => send({ type: 'mindflow-size', height: document.documentElement.offsetHeight })).observe(
    document.documentElement);
  for (const type of ['mindflow-labels', 'mindflow-state', 'mindflow-error']) {
    live.addEventListener(type, (event) => send({ type, detail: /** @type {CustomEvent} */ (event).detail }));
  }
  addEventListener('message', ({ source, data }) => {
    if (source === parent && data?.type === 'mindflow-token' && typeof data.token === 'string') live.token = data.token;
  });
}
