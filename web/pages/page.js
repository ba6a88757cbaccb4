// The page around the element.

import { prefersFrench, translate } from '../words/pages/translate.js';
import { VERSION } from '../client/wire.js';

const live = document.querySelector('mindflow-live');
void customElements.whenDefined('mindflow-live').then(() => document.getElementById('missing')?.remove());
live?.setAttribute('locale', navigator.language);
if (prefersFrench()) void import('../words/pages/page-fr.js').then(({ FR }) => translate(FR));
live?.addEventListener('mindflow-state', (event) => {
  const { state, reason, ahead } = /** @type {CustomEvent<{state: string, reason?: string, ahead?: number}>} */ (
    event).detail;
  document.title = state === 'live' ? '● Mindflow' : ahead === undefined ? 'Mindflow' : `(${ahead + 1}) Mindflow`;
  if (reason === 'unauthorized') askToken();
});

const form = /** @type {HTMLFormElement | null} */ (document.getElementById('token'));
form?.addEventListener('submit', (event) => {
  event.preventDefault();
  const given = /** @type {HTMLInputElement} */ (form.elements.namedItem('token')).value;
  if (!live || given.trim() === '') return;
  form.hidden = true;
  const element = /** @type {import('../live/element.js').MindflowLive} */ (live);
  element.token = given; // kept while this page is open, and nowhere else
  void element.start();
});

/** Asks the visitor for a token if the server requires one. */
function askToken() {
  if (!form) return;
  form.hidden = false;
  /** @type {HTMLInputElement} */ (form.elements.namedItem('token')).focus();
}

/** Shows the release that the server names in its Server header (RFC 9110 §10.2.4). */
async function showRelease() {
  const response = await fetch(location.pathname, { method: 'HEAD' });
  const server = response.headers.get('Server') ?? '';
  const release = /^mindflow\/(\S+)/.exec(server)?.[1];
  const place = document.getElementById('release');
  if (place) place.textContent = [release ? `Mindflow ${release}` : 'Mindflow', `protocol ${VERSION}`].join(' · ');
}

showRelease().catch(() => {
  // The release is optional; without it the footer says Mindflow.
});
