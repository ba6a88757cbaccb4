// The English texts of the element. fr.js has the French ones; language.js chooses.

/**
 * @typedef {object} StateText
 * @property {string} title what happened
 * @property {string} cause
 * @property {string} next what to do now
 * @property {string} [button] its text; absent for no button
 */

/** @type {Record<import('../client/states.js').Phase, StateText>} */
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
  stopped: { title: 'Stopped', cause: 'The camera is off.', next: 'Start again whenever you like.',
    button: 'Start camera' },
  failed: { title: 'That did not work', cause: '', next: '' },
};

/**
 * Replacements where the picture is not a camera's.
 * @type {Partial<Record<import('../client/states.js').Phase, Partial<StateText>>>}
 */
const SUPPLIED = {
  idle: { button: 'Start' },
  connecting: { cause: '' },
  paused: { cause: 'No picture leaves this device.', next: 'Resume when you like, or Stop to end.' },
  stopped: { cause: '', button: 'Start' },
};

/** @type {Record<import('../client/states.js').Reason, StateText>} */
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
  policy: {
    title: 'This page cannot use the camera', cause: 'Its author has not passed the camera on.',
    next: 'Tell its author what is missing.',
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
  source: {
    title: 'This picture cannot be used',
      cause: 'It is neither a picture nor a video, or comes from another site that does not allow it.',
    next: 'Choose another picture or video.', button: 'Start camera',
  },
  format: {
    title: 'This browser cannot read the file', cause: 'It has no decoder, or the file is damaged.',
    next: 'Convert it to JPEG, PNG, WebM or MP4 with H.264.', button: 'Start camera',
  },
  unreachable: {
    title: 'The server does not answer', cause: 'It is down, or your network does not reach it.',
    next: 'Check your connection, then try again.', button: 'Try again',
  },
  full: { title: 'The server is full', cause: 'It has no place for you now.', next: 'Try again later.',
    button: 'Try again' },
  unauthorized: {
    title: 'This server asks for a token', cause: 'This page shows none, or one that is not good here, or no longer.',
    next: 'Get one from whoever runs this page or its server.', button: 'Try again',
  },
  refused: {
    title: 'The server said no', cause: 'It did not accept this session.',
    next: 'Try again; if it stays so, tell whoever runs this server.', button: 'Try again',
  },
  blocked: {
    title: 'The video does not get through',
      cause: 'The server answers, but a firewall between you stops the video (UDP).',
    next: 'Try another network, such as a phone’s hotspot. The server’s page /selftest says what is missing.',
      button: 'Try again',
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
    title: 'Paused for too long',
      cause: 'The server ends sessions that stay paused for minutes, so that others find a place.',
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
  time: {
    title: 'Your time is up', cause: 'Sessions end after a while here, so that others find a place.',
    next: 'Start again to go on, or to wait for your turn.', button: 'Start again',
  },
  replaced: {
    title: 'The session went on elsewhere', cause: 'This page made another connection, and there is one place for it.',
    next: 'Start again to have it here.', button: 'Start again',
  },
  'too-large': {
    title: 'The picture is too large', cause: 'The server does not read pictures of this size.',
    next: 'Choose another camera or a smaller picture, then start again.', button: 'Start again',
  },
  internal: {
    title: 'Something broke on the server', cause: 'Its own fault ended this session, not yours.',
    next: 'Start again; if it stays so, tell whoever runs this server.', button: 'Start again',
  },
  ended: { title: 'The server ended the session', cause: 'It had a reason of its own.', next: 'Start again to go on.',
    button: 'Start again' },
};

export const EN = {
  phases: PHASES,
  supplied: SUPPLIED,
  failures: FAILURES,

  notice: (/** @type {string} */ host, /** @type {boolean} */ supplied) => [
    supplied ? `The picture goes to ${host} over an encrypted connection, while you are live.`
      : `The picture of your camera goes to ${host} over an encrypted connection, while you are live.`,
    'A neural network guesses the expression of every face in it. That is how a face looks, not what a person feels.',
    'No picture is kept.',
  ],

  /** By the number of people ahead. */
  queue: (/** @type {number} */ ahead, /** @type {string} */ count) =>
    (ahead === 0 ? 'You are next.' : ahead === 1 ? 'One person is before you.' : `${count} people are before you.`),
  queueNext: 'Keep this page open: it joins by itself. The camera is on, but no picture leaves this device; Stop gives your place up.',

  /** Advice shown over a live picture. */
  advice: {
    'no-face': 'No face in view. Move into the picture; light from the front helps.',
    muted: 'The camera gives no picture. Is it covered, or in use elsewhere?',
    silent: 'Waiting for labels. The server may be busy.',
    dark: 'No face found: the picture is very dark. Turn a light on, or face a window.',
    bright: 'No face found: the picture is overexposed. Turn away from the bright light.',
    blurred: 'No face found: the picture is blurred. Wipe the lens, hold still, or give the camera a moment to focus.',
    'face-far': 'The face is small in the picture, so the reading is unsure. Come closer.',
    'face-dark': 'The face is dark, so the reading is unsure. Light from the front helps.',
    'face-blurred': 'The face is blurred, so the reading is unsure. Hold still, or give the camera a moment to focus.',
    'face-turned': 'The face is turned away or partly covered, so the reading is unsure. Look at the camera.',
  },

  /** Names of labels that differ from the label itself. @type {Record<string, string>} */
  expressions: {},

  text: {
    live: 'Live',
    pause: 'Pause',
    resume: 'Resume',
    stop: 'Stop',
    mirror: 'Mirror',
    camera: 'Camera',
    model: 'Model',
    attention: 'Where the network looks',
    timing: 'When the picture is shown',
    legend: 'The network looks',
    less: 'less',
    more: 'more',
    faces: 'Faces in view',
    expression: 'Expression',
    tap: 'Your device saves power: tap to see the picture',
    uncertain: 'Uncertain',
    nothing: 'No face',
    off: 'Not live',
    waiting: 'The reading appears here.',
    looking: 'Looking for one…',
    timeline: 'Last 60 seconds',
    now: 'now',
    rate: 'labels/s',
    latency: 'ms delay',
    dropped: 'dropped',
    file: 'Open a picture or video',
    drop: 'Drop a picture or a video here',
    hold: 'Hold',
    holdTitle: 'Stops the chart, to look at it; recording goes on',
    reader: 'Moment of the chart',
    session: 'Session',
    share: 'share of the time',
    changes: 'changes',
    recorded: 'Recorded on this device, and forgotten with the page:',
    csv: 'CSV',
    json: 'JSON',
    png: 'Chart as PNG',
    empty: 'Nothing yet: the summary grows while you are live.',
    privacy: 'Privacy',
    sent: 'Sent',
    to: 'To',
    kept: 'Kept',
    keptNothing: 'no picture; labels in this page only',
    notSent: 'nothing now',
    blur: 'Blur the background in the camera',
    latencyTitle: 'The server’s time for a picture plus the network’s round trip. Camera, encoding and drawing come on top.',
    droppedTitle: 'Pictures that the server did not analyse, because a newer one came or they arrived damaged.',
  },

  face: (/** @type {string} */ id) => `Face ${id}`,
  camera: (/** @type {string} */ n) => `Camera ${n}`,
  nearest: (/** @type {string} */ name, /** @type {string} */ share) => `${name} is nearest, ${share}`,
  confident: (/** @type {string} */ share) => `${share} confident`,
  seconds: (/** @type {string} */ n) => `${n} s`,
  ago: (/** @type {string} */ seconds) => `${seconds} s ago`,
  change: (/** @type {string} */ from, /** @type {string} */ to, /** @type {string} */ times) =>
    `${from} → ${to} ${times}×`,
  lasted: (/** @type {string} */ minutes, /** @type {string} */ seconds, /** @type {string} */ changes) =>
    `${minutes} min ${seconds} s with a face, ${changes} changes`,
  sending: (/** @type {string} */ size, /** @type {string} */ rate, /** @type {string} */ kbit) =>
    `${size} pixels, ${rate} pictures/s, ${kbit} kbit/s, no sound`,
  countdown: (/** @type {string} */ seconds) => `Next try in ${seconds} s`,
  trying: 'Trying now…',
  attempt: (/** @type {string} */ n, /** @type {string} */ when) => `Attempt ${n}. ${when}`,

  attention: { off: 'Attention: off', mean: 'Attention: mean',
    head: (/** @type {string} */ n) => `Attention: head ${n}` },
  timing: { live: 'Picture: live', exact: 'Picture: exact' },
  /** Where an attention map is strongest, for screen readers. */
  peak: (/** @type {string} */ name, /** @type {string} */ place) => `${name}, strongest at the face’s ${place}`,
  rows: ['upper', 'middle', 'lower'],
  columns: ['left', 'centre', 'right'],
};

/** @typedef {typeof EN} Texts */
