// The markup of <mindflow-live>, made element by element: pages that require Trusted Types take no markup as text.

/**
 * Makes an element.
 * @param {string} selector its tag and classes, such as "p.badge"
 * @param {...(Node | string | Record<string, string | true>)} parts children, and attributes; true: without a value
 * @returns {HTMLElement}
 */
function h(selector, ...parts) {
  const [tag, ...classes] = selector.split('.');
  const el = document.createElement(tag);
  el.className = classes.join(' ');
  for (const part of parts) {
    if (typeof part === 'string' || part instanceof Node) el.append(part);
    else for (const [name, value] of Object.entries(part)) el.setAttribute(name, value === true ? '' : value);
  }
  return el;
}

const hidden = /** @type {const} */ ({ hidden: true });
const button = /** @type {const} */ ({ type: 'button' });
const unread = { 'aria-hidden': 'true' }; // by screen readers

/** @param {string} name @param {string} label */
const choice = (name, label) => h(`label.field.${name}`, hidden, h('span', label), h('select'));

const video = () => {
  const el = h('video', { autoplay: true, playsinline: true, disablepictureinpicture: true, ...unread });
  /** @type {HTMLVideoElement} */ (el).muted = true; // the attribute mutes only what a parser makes
  return el;
};

/** @param {import('../words/en.js').Texts['text']} text @returns {HTMLElement} */
const stage = (text) => h('div.stage', { part: 'stage' },
  video(),
  h('canvas.waiting', { ...unread, ...hidden }),
  h('canvas.overlay', unread),
  h('p.badge', { part: 'badge', ...hidden }, h('span.dot'), text.live),
  h('p.note', { part: 'note', ...hidden }),
  h('div.card', { part: 'card' }, h('div.card-box',
    h('span.card-spinner', hidden),
    h('h2.card-title'),
    h('p.card-cause'),
    h('p.card-next'),
    h('ul.card-notice'),
    h('slot', { name: 'notice' }),
    h('p.card-detail'),
    h('p.card-count'),
    h('button.card-button.primary', { ...button, part: 'button' }),
    h('label.card-file', h('input', { type: 'file', accept: 'image/*,video/*' }), h('span', text.file)))),
  h('p.drop', hidden, text.drop));

/** @param {import('../words/en.js').Texts['text']} text @returns {HTMLElement} */
const controls = (text) => h('div.controls', { part: 'controls' },
  h('button.pause', button, text.pause),
  h('button.stop', button, text.stop),
  h('slot', { name: 'controls' }),
  h('button.mirror', { ...button, role: 'switch' }, h('span.knob'), text.mirror),
  choice('model', text.model),
  choice('attention', text.attention),
  choice('timing', text.timing),
  choice('camera', text.camera),
  h('p.legend', { role: 'img', ...hidden }, `${text.legend} `, h('span', text.less), h('span.legend-scale'),
    h('span', text.more)));

/** @param {import('../words/en.js').Texts['text']} text @returns {HTMLElement} */
const timeline = (text) => h('figure.history', { part: 'timeline' },
  h('figcaption', h('span', text.timeline), ' ',
    h('button.hold.small', { ...button, 'aria-pressed': 'false', title: text.holdTitle }, text.hold)),
  h('div.strip', { tabindex: '0', role: 'slider', 'aria-label': text.reader, 'aria-valuemin': '-60',
    'aria-valuemax': '0', 'aria-valuenow': '0' }, h('canvas.timeline', unread), h('p.tip', hidden)),
  h('div.axis', unread, h('span.axis-60'), h('span.axis-30'), h('span', text.now)));

/** @param {import('../words/en.js').Texts['text']} text @returns {HTMLElement} */
const session = (text) => h('details.session', h('summary', text.session),
  h('p.session-empty', text.empty),
  h('div.session-body', hidden,
    h('p.session-time'),
    h('ul.shares', { 'aria-label': text.share }),
    h('p.changes'),
    h('p.session-kept', text.recorded),
    h('p.exports', h('button.small.csv', button, text.csv), ' ', h('button.small.json', button, text.json), ' ',
      h('button.small.png', button, text.png))));

/** @param {import('../words/en.js').Texts['text']} text @returns {HTMLElement} */
const privacy = (text) => h('details.privacy', h('summary', text.privacy),
  h('dl',
    h('div', h('dt', text.sent), h('dd.sent', text.notSent)),
    h('div', h('dt', text.to), h('dd.to')),
    h('div', h('dt', text.kept), h('dd', text.keptNothing))),
  h('label.blur', hidden, h('input', { type: 'checkbox' }), ` ${text.blur}`));

/** @param {import('../words/en.js').Texts['text']} text @returns {HTMLElement} */
const panel = (text) => h('section.panel', { part: 'panel', 'aria-label': text.expression },
  h('div.reading', { part: 'reading' },
    h('span.reading-swatch', hidden), h('p.reading-label'), h('p.reading-confidence')),
  h('div.faces', { part: 'faces', role: 'group', 'aria-label': text.faces, ...hidden }),
  h('ul.bars', { part: 'bars', 'aria-label': text.expression }),
  timeline(text),
  session(text),
  privacy(text),
  h('dl.health',
    h('div', h('dt', text.rate), h('dd.rate', '–')),
    h('div', { title: text.latencyTitle }, h('dt', text.latency), h('dd.latency', '–')),
    h('div.drops', h('dt', text.dropped), h('dd.dropped', '–'))));

/**
 * Makes the element's content. Text from outside is inserted as text only.
 * @param {import('../words/en.js').Texts['text']} text
 * @returns {Node[]}
 */
export const template = (text) => [
  h('div.frame', stage(text), controls(text), panel(text), h('slot', { name: 'footer' }),
    h('p.spoken', { 'aria-live': 'polite' })),
];
