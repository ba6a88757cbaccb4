// The page /watch/ID: the labels of another session, live, without its picture.

import { Bars } from '../live/bars.js';
import { Language } from '../words/language.js';
import { Failure } from '../client/states.js';
import { prefersFrench, translate } from '../words/pages/translate.js';
import { watchSession } from './watchsession.js';
import { EN, FR, PAGE_FR } from '../words/pages/watch.js';

const SHOW_MS = 1000; // a face that is absent from the messages for this long is removed

document.getElementById('missing')?.remove();
const language = new Language(navigator.language);
const words = prefersFrench() ? FR : EN;
if (prefersFrench()) translate(PAGE_FR);
const id = decodeURIComponent(location.pathname.split('/').filter((s) => s).at(-1) ?? '');
const state = /** @type {HTMLElement} */ (document.getElementById('state'));
const detail = /** @type {HTMLElement} */ (document.getElementById('detail'));
const list = /** @type {HTMLElement} */ (document.getElementById('faces'));
const form = /** @type {HTMLFormElement} */ (document.getElementById('token'));
/** @type {Map<number, {root: HTMLElement, label: HTMLElement, bars: Bars, at: number}>} */
const cards = new Map();
/** @type {import('../client/wire.js').Model[]} */
let models = [];
/** @type {AbortController | undefined} */
let run;

form.addEventListener('submit', (event) => {
  event.preventDefault();
  form.hidden = true;
  // kept while this page is open, and nowhere else
  void begin(/** @type {HTMLInputElement} */ (form.elements.namedItem('token')).value);
});
addEventListener('pagehide', () => run?.abort());
void begin('');

/** @param {string} token */
async function begin(token) {
  run?.abort();
  run = new AbortController();
  const { signal } = run;
  say(language.wordsFor({ phase: 'connecting' }).title);
  try {
    const seen = watchSession(new URL(`../sessions/${encodeURIComponent(id)}/labels`, location.href).href, token,
      signal);
    for (;;) {
      const { done, value } = await seen.next();
      if (done) return end(value);
      if (value.type === 'hello') {
        models = value.hello.models ?? [value.hello.model];
        say(words.live);
      }
      if (value.type === 'waiting') say(words.waiting);
      if (value.type === 'labels') show(value.labels);
    }
  } catch (error) {
    if (!signal.aborted) fail(error instanceof Failure ? error : new Failure('lost', String(error)), token !== '');
  }
}

/** @param {Failure} failure @param {boolean} shown whether a token was sent */
function fail({ reason, detail: quote }, shown) {
  clear();
  const { title, cause, next } = language.wordsFor({ phase: 'failed', reason });
  if (reason === 'ended') say(`${words.none} ${words.noneNext}`);
  else say([`${title}.`, cause, next].join(' '), quote);
  form.hidden = !(reason === 'unauthorized' || shown);
  if (!form.hidden) /** @type {HTMLInputElement} */ (form.elements.namedItem('token')).focus();
}

/** @param {string} reason */
function end(reason) {
  clear();
  say([words.ended, words.why[reason] ?? ''].join(' ').trim());
}

function clear() {
  for (const { root } of cards.values()) root.remove();
  cards.clear();
}

/** @param {string} text @param {string} [quote] the server's own message, in English */
function say(text, quote = '') {
  if (state.textContent !== text) state.textContent = text; // screen readers announce each change
  detail.textContent = quote;
  detail.hidden = quote === '';
}

/** @param {import('../client/wire.js').Labels} message */
function show(message) {
  const now = performance.now();
  const model = models.find((m) => m.name === message.model) ?? models[0];
  for (const face of message.faces) {
    const card = cards.get(face.id) ?? make(face.id, model?.labels ?? []);
    card.at = now;
    card.label.textContent = face.uncertain ? language.text.uncertain : language.expression(face.label);
    if (model?.labels.length === face.scores.length) card.bars.show(face.scores);
  }
  for (const [face, { root, at }] of cards) {
    if (now - at < SHOW_MS) continue;
    root.remove();
    cards.delete(face);
  }
  say(cards.size > 0 ? words.live : language.text.nothing);
}

/** @param {number} face @param {readonly string[]} labels */
function make(face, labels) {
  const root = document.createElement('li');
  const name = document.createElement('h2');
  const label = document.createElement('p');
  const bars = document.createElement('ul');
  name.textContent = language.phrases.face(language.number(face));
  label.className = 'label';
  bars.className = 'bars';
  root.append(name, label, bars);
  list.append(root);
  const card = { root, label, bars: new Bars(bars, labels, language), at: 0 };
  cards.set(face, card);
  return card;
}
