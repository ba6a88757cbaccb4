// What the page does around the element.

import { VERSION } from './wire.js';

const live = document.querySelector('mindflow-live');
live?.addEventListener('mindflow-state', (event) => {
  const { state } = /** @type {CustomEvent<{state: string}>} */ (event).detail;
  document.title = state === 'live' ? '● Mindflow' : 'Mindflow';
});

/** Says which release is running, as the server names it in its answers (RFC 9110 §10.2.4). */
async function showRelease() {
  const response = await fetch(location.pathname, { method: 'HEAD' });
  const server = response.headers.get('Server') ?? '';
  const release = /^mindflow\/(\S+)/.exec(server)?.[1];
  const place = document.getElementById('release');
  if (place) place.textContent = [release ? `Mindflow ${release}` : 'Mindflow', `protocol ${VERSION}`].join(' · ');
}

showRelease().catch(() => {
  // The release's name is decoration; without it the footer says Mindflow.
});
