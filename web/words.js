// Every text that the element shows, in one place.

/**
 * @typedef {object} Words
 * @property {string} title what is the case
 * @property {string} cause
 * @property {string} next what to do now
 * @property {string} [button] what pressing it does; without it there is none
 */

/** @param {string} host where the picture goes */
export function notice(host) {
  return [
    `The picture of your camera goes to ${host} over an encrypted connection, while you are live.`,
    'A neural network guesses the expression of every face in it. That is how a face looks, not what a person feels.',
    'No picture is kept.',
  ];
}

/** @type {Record<import('./states.js').Phase, Words>} */
const PHASES = {
  idle: { title: 'See what a network reads in a face', cause: '', next: '', button: 'Start camera' },
  asking: { title: 'Allow the camera', cause: 'Your browser is asking for permission.', next: 'Choose “Allow” there.' },
  connecting: { title: 'Connecting…', cause: 'The camera is on.', next: 'The first labels come in a moment.' },
  live: { title: 'Live', cause: '', next: '' },
  paused: {
    title: 'Paused', cause: 'The camera is on, but no picture leaves this device.',
    next: 'Resume when you like, or Stop to turn the camera off.', button: 'Resume',
  },
  reconnecting: {
    title: 'Connection lost', cause: 'The way to the server broke.',
    next: 'Keep this page open: it connects again by itself.', button: 'Try now',
  },
  full: {
    title: 'The server is full', cause: 'All places are taken just now.',
    next: 'Keep this page open: it asks again by itself.', button: 'Try now',
  },
  stopped: { title: 'Stopped', cause: 'The camera is off.', next: 'Start again whenever you like.', button: 'Start camera' },
  failed: { title: 'That did not work', cause: '', next: '' },
};

/** @type {Record<import('./states.js').Reason, Words>} */
const FAILURES = {
  insecure: {
    title: 'This page cannot use the camera', cause: 'Browsers give the camera only to pages over HTTPS.',
    next: 'Open this address with https://, or on the server itself as http://localhost.',
  },
  unsupported: {
    title: 'This browser has no WebRTC', cause: 'It cannot send live video.',
    next: 'Use a current Firefox, Chrome, Edge or Safari.',
  },
  'no-camera': {
    title: 'No camera found', cause: 'This device has none, or it is switched off.',
    next: 'Connect a camera, then try again.', button: 'Try again',
  },
  denied: {
    title: 'The camera is not allowed', cause: 'Permission was refused, here or in the system’s settings.',
    next: 'Allow the camera in the site settings beside the address, then try again.', button: 'Try again',
  },
  busy: {
    title: 'The camera is busy', cause: 'Another program or tab is using it.',
    next: 'Close what uses it, then try again.', button: 'Try again',
  },
  'camera-failed': {
    title: 'The camera did not start', cause: 'The browser could not open it.',
    next: 'Unplug it and plug it in again, or choose another one.', button: 'Try again',
  },
  'camera-lost': {
    title: 'The camera went away', cause: 'It was unplugged, or another program took it.',
    next: 'Connect it, then start again.', button: 'Start again',
  },
  unreachable: {
    title: 'The server does not answer', cause: 'It is down, or your network does not reach it.',
    next: 'Check your connection, then try again.', button: 'Try again',
  },
  full: { title: 'The server is full', cause: 'It has no place for you now.', next: 'Try again later.', button: 'Try again' },
  refused: {
    title: 'The server said no', cause: 'It did not accept this session.',
    next: 'Try again; if it stays so, tell whoever runs this server.', button: 'Try again',
  },
  blocked: {
    title: 'The video does not get through', cause: 'The server answers, but a firewall between you stops the video (UDP).',
    next: 'Try another network, such as a phone’s hotspot.', button: 'Try again',
  },
  lost: {
    title: 'Connection lost', cause: 'The way to the server broke and did not come back.',
    next: 'Check your connection, then start again.', button: 'Start again',
  },
  version: {
    title: 'This page is out of date', cause: 'Page and server speak different versions.',
    next: 'Reload the page.',
  },
  idle: {
    title: 'Paused for too long', cause: 'The server ends sessions that stay paused for minutes, so that others find a place.',
    next: 'Start again to go on.', button: 'Start again',
  },
  'no-media': {
    title: 'No picture arrived', cause: 'The server got no video from your camera.',
    next: 'Check that the camera shows a picture, then start again.', button: 'Start again',
  },
  shutdown: {
    title: 'The server is restarting', cause: 'It said goodbye to everybody.',
    next: 'Try again in a minute.', button: 'Try again',
  },
  ended: { title: 'The server ended the session', cause: 'It had a reason of its own.', next: 'Start again to go on.', button: 'Start again' },
};

/**
 * The words for a state.
 * @param {import('./states.js').State} state
 * @returns {Words}
 */
export function wordsFor(state) {
  if (state.phase === 'failed') return { ...PHASES.failed, ...(state.reason && FAILURES[state.reason]) };
  if (state.phase === 'reconnecting' && state.reason === 'shutdown') {
    return { ...PHASES.reconnecting, title: FAILURES.shutdown.title, cause: FAILURES.shutdown.cause };
  }
  return PHASES[state.phase];
}

/** Hints over a live picture. */
export const NOTES = {
  'no-face': 'No face in view. Move into the picture; light from the front helps.',
  muted: 'The camera gives no picture. Is it covered, or in use elsewhere?',
  silent: 'Waiting for labels. The server may be busy.',
};

export const TEXT = {
  pause: 'Pause',
  resume: 'Resume',
  stop: 'Stop',
  mirror: 'Mirror',
  camera: 'Camera',
  model: 'Model',
  attention: 'Where the network looks',
  legend: 'The network looks',
  less: 'less',
  more: 'more',
  faces: 'Faces in view',
  expression: 'Expression',
  uncertain: 'Uncertain',
  nothing: 'No face',
  off: 'Not live',
  waiting: 'The reading appears here.',
  looking: 'Looking for one…',
  timeline: 'Last 60 seconds',
  rate: 'labels/s',
  latency: 'ms delay',
  dropped: 'dropped',
  latencyTitle: 'The server’s time for a picture plus the network’s round trip. Camera, encoding and drawing come on top.',
  droppedTitle: 'Pictures that the server did not analyse, because a newer one came or they arrived damaged.',
};

/** @param {string} label @returns {string} as it is shown */
export function expressionName(label) {
  return label.charAt(0).toUpperCase() + label.slice(1).replaceAll('_', ' ');
}

/** @param {import('./attention.js').Show} show */
export function attentionName(show) {
  if (show === 'off') return 'Attention: off';
  return show === 'mean' ? 'Attention: mean' : `Attention: head ${show}`;
}

/** @param {number} fraction @returns {string} */
export function percent(fraction) {
  return `${Math.round(100 * fraction)}%`;
}

/** @param {number} id */
export function faceName(id) {
  return `Face ${id}`;
}

/** @param {number} seconds @param {number} [attempt] */
export function countdown(seconds, attempt) {
  const when = seconds > 0 ? `Next try in ${seconds} s` : 'Trying now…';
  return attempt ? `Attempt ${attempt}. ${when}` : when;
}

/**
 * The tag of a face.
 * @param {import('./wire.js').Face} face
 */
export function tagText(face) {
  const value = `${expressionName(face.label)} ${percent(face.confidence)}`;
  return face.uncertain ? `${TEXT.uncertain} · ${value}?` : value;
}
