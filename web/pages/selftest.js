// The page of the connection test: tests path by path with probe.js and shows the results.

import { Language } from '../words/language.js';
import { skipReason, formatAddresses, verdict } from './paths.js';
import { TestPicture, probe } from './probe.js';
import { prefersFrench, translate } from '../words/pages/translate.js';
import { Credentials } from '../client/credentials.js';
import { EN, FR, PAGE_FR } from '../words/pages/selftest.js';

/** @typedef {'good' | 'fair' | 'bad' | 'none' | 'busy'} Grade */

/** @type {Record<Grade, string>} colour is never the only sign */
const MARKS = { good: '✓', fair: '!', bad: '✕', none: '–', busy: '…' };

document.getElementById('missing')?.remove();
const language = new Language(navigator.language);
const words = prefersFrench() ? FR : EN;
if (prefersFrench()) translate(PAGE_FR);

const checks = element('checks');
const result = element('verdict');
const report = /** @type {HTMLDetailsElement} */ (element('report'));
const button = /** @type {HTMLButtonElement} */ (element('run'));
const copy = /** @type {HTMLButtonElement} */ (element('copy'));

const form = element('token');
const token = /** @type {HTMLInputElement} */ (element('token-text'));

button.addEventListener('click', run);
form.addEventListener('submit', (event) => {
  event.preventDefault();
  void run();
});
checks.setAttribute('aria-label', words.checks);
report.querySelector('pre')?.setAttribute('aria-label', words.report);
copy.hidden = !navigator.clipboard;
copy.addEventListener('click', async () => {
  await navigator.clipboard.writeText(report.querySelector('pre')?.textContent ?? '');
  copy.textContent = words.copied;
});

/** @param {string} id */
function element(id) {
  return /** @type {HTMLElement} */ (document.getElementById(id));
}

async function run() {
  const life = new AbortController();
  const leave = () => life.abort();
  addEventListener('pagehide', leave);
  button.disabled = true;
  report.hidden = true;
  checks.replaceChildren();
  result.replaceChildren();
  result.className = '';
  try {
    await test(life.signal);
  } finally {
    removeEventListener('pagehide', leave);
    button.disabled = false;
    button.textContent = words.again;
  }
}

/** @param {AbortSignal} signal */
async function test(signal) {
  const lines = [`${location.origin}, ${new Date().toISOString()}`, navigator.userAgent];
  const server = await askServer();
  lines.push(`server: ${server}`);
  if (!('RTCPeerConnection' in window)) {
    const { title, cause, next } = language.wordsFor({ phase: 'failed', reason: 'unsupported' });
    show({ grade: 'bad', title, why: cause, steps: [next] });
    return;
  }
  /** @type {import('./paths.js').Outcome[]} */
  const outcomes = [];
  const endpoint = new URL('whip', location.href).href;
  const credentials = new Credentials(endpoint);
  credentials.setToken(token.value);
  const picture = new TestPicture();
  try {
    for (const path of /** @type {import('./paths.js').Path[]} */ (['udp', 'tcp', 'relay'])) {
      const row = addRow(words.paths[path]);
      const outcome = await probe(endpoint, path, picture.stream.getVideoTracks()[0], signal, credentials);
      outcomes.push(outcome);
      row(...describe(outcome));
      lines.push(`${path}: ${JSON.stringify({ ...outcome, path: undefined, tried: formatAddresses(outcome.tried) })}`);
      if (outcome.reason === 'unauthorized') form.hidden = false;
      if (outcome.error !== undefined) break; // the other paths would fail the same way
    }
  } finally {
    picture.stop();
  }
  if (signal.aborted) return;
  const conclusion = verdict(outcomes, location.hostname, words);
  show(conclusion);
  lines.push(`verdict: ${conclusion.title}. ${conclusion.why}`, ...conclusion.steps);
  /** @type {HTMLElement} */ (report.querySelector('pre')).textContent = lines.join('\n');
  report.hidden = false;
  copy.textContent = words.copy;
}

/** Asks the server whether it is ready, and shows the answer. @returns {Promise<string>} */
async function askServer() {
  const row = addRow(words.answers);
  try {
    const began = performance.now();
    const response = await fetch('readyz', { cache: 'no-store' });
    const { ready, reasons } = await response.json();
    const ms = Math.round(performance.now() - began);
    const answer = ready ? words.ready(ms) : String(reasons);
    row(ready ? 'good' : 'bad', answer);
    return answer;
  } catch {
    row('bad', words.noAnswer);
    return words.noAnswer;
  }
}

/** @param {import('./paths.js').Outcome} o @returns {[Grade, string]} */
function describe(o) {
  if (o.result === 'absent') return ['none', words.absent];
  if (o.error !== undefined) return ['bad', `${skipReason(o, words)}.`];
  if (o.result === 'fails') {
    return ['bad', `${words.failed(formatAddresses(o.tried))}${o.sent ? words.asked(o.sent, o.answered ?? 0) : ''}.`];
  }
  const { from = '', relay = '', to = '', protocol = '' } = o.pair ?? {};
  const how = words.connected(o.connectMs ?? 0, o.pair ? words.pair(from, relay, to, protocol) : '');
  const trip = o.roundTripMs === undefined ? '' : words.trip(o.roundTripMs);
  const label = o.labelMs === undefined ? words.noLabel : words.label(o.labelMs);
  return [o.labelMs === undefined ? 'fair' : 'good', how + trip + label];
}

/**
 * Adds a row for a running check.
 * @param {string} name
 * @returns {(grade: Grade, found: string) => void} sets the result
 */
function addRow(name) {
  const row = document.createElement('li');
  const [mark, title, found] = ['mark', 'name', 'found'].map((kind) => {
    const part = document.createElement('span');
    part.className = kind;
    row.append(part);
    return part;
  });
  title.textContent = name;
  mark.setAttribute('role', 'img');
  const set = (/** @type {Grade} */ grade, /** @type {string} */ text) => {
    row.className = grade;
    mark.textContent = MARKS[grade];
    mark.setAttribute('aria-label', words.grades[grade]);
    found.textContent = text;
  };
  set('busy', words.trying);
  checks.append(row);
  return set;
}

/** @param {import('./paths.js').Verdict} v */
function show(v) {
  const title = document.createElement('h2');
  title.textContent = v.title;
  const why = document.createElement('p');
  why.textContent = v.why;
  result.className = v.grade;
  result.replaceChildren(title, why);
  if (v.steps.length === 0) return;
  const list = document.createElement('ul');
  for (const step of v.steps) {
    const item = document.createElement('li');
    item.textContent = step;
    list.append(item);
  }
  result.append(list);
}
