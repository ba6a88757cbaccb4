import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VideoSender } from '../../client/videosender.js';

/** A camera of a size. @param {number} [width] @param {number} [height] */
const camera = (width, height) => /** @type {MediaStreamTrack} */ (
  /** @type {unknown} */ ({ getSettings: () => ({ width, height }) }));

/** @param {{max_side?: number, max_framerate?: number}} fields @returns {import('../../client/wire.js').Hint} */
const hint = (fields) => ({ v: 1, type: 'hint', ...fields });

/**
 * Stands in for a browser's sender. As there, what is set takes a while, and must have been read since the last that
 * was set.
 */
class Sender {
  track;
  /** @type {Record<string, unknown>} */
  encoding = { active: true, maxBitrate: 1_500_000 };
  /** @type {((parameters: RTCRtpSendParameters) => void)} */
  check = () => {};
  #transaction = 0;

  /** @param {MediaStreamTrack | null} track */
  constructor(track) {
    this.track = track;
  }

  getParameters() {
    return /** @type {any} */ ({ transactionId: String(this.#transaction), encodings: [{ ...this.encoding }] });
  }

  /** @param {RTCRtpSendParameters} parameters */
  async setParameters(parameters) {
    await new Promise((resolve) => setTimeout(resolve, 1));
    if (parameters.transactionId !== String(this.#transaction)) throw new Error('InvalidModificationError');
    this.check(parameters);
    this.#transaction++;
    this.encoding = { ...parameters.encodings[0] };
  }

  /** @param {MediaStreamTrack | null} track */
  async replaceTrack(track) {
    await new Promise((resolve) => setTimeout(resolve, 1));
    this.track = track;
  }
}

for (const [name, track, fields, want] of /** @type {[string, MediaStreamTrack | null, object, object][]} */ ([
  ['a large picture', camera(1280, 720), { max_side: 640, max_framerate: 15 },
    { scaleResolutionDownBy: 2, maxFramerate: 15 }],
  ['one held upright', camera(720, 1280), { max_side: 640 }, { scaleResolutionDownBy: 2 }],
  ['one that is small enough', camera(640, 480), { max_side: 640, max_framerate: 30 },
    { scaleResolutionDownBy: 1, maxFramerate: 30 }],
  ['a smaller one', camera(320, 240), { max_side: 640 }, { scaleResolutionDownBy: 1 }],
  ['a rate alone', camera(1280, 720), { max_framerate: 7.5 }, { scaleResolutionDownBy: 1, maxFramerate: 7.5 }],
  ['a track that does not tell its size', camera(), { max_side: 640 }, { scaleResolutionDownBy: 1 }],
  ['no track', null, { max_side: 640 }, { scaleResolutionDownBy: 1 }],
])) {
  test(`a hint is obeyed: ${name}`, async () => {
    const sender = new Sender(track);
    await new VideoSender(sender).applyHint(hint(fields));
    assert.deepEqual(sender.encoding, { active: true, maxBitrate: 1_500_000, ...want });
  });
}

test('each hint replaces the one before', async () => {
  const sender = new Sender(camera(1920, 1080));
  const sending = new VideoSender(sender);
  await sending.applyHint(hint({ max_side: 640, max_framerate: 10 }));
  await sending.applyHint(hint({ max_side: 960 }));
  assert.deepEqual(sender.encoding, { active: true, maxBitrate: 1_500_000, scaleResolutionDownBy: 2 });
  await sending.applyHint(hint({}));
  assert.deepEqual(sender.encoding, { active: true, maxBitrate: 1_500_000, scaleResolutionDownBy: 1 });
});

test('another track is limited as well, by its own size', async () => {
  const sender = new Sender(camera(640, 480));
  const sending = new VideoSender(sender);
  await sending.replaceTrack(camera(1280, 960));
  assert.equal(sender.encoding.scaleResolutionDownBy, undefined); // no server has asked for anything
  await sending.applyHint(hint({ max_side: 640 }));
  assert.equal(sender.encoding.scaleResolutionDownBy, 2);
  await sending.replaceTrack(camera(1920, 1080));
  assert.equal(sender.encoding.scaleResolutionDownBy, 3);
  await sending.replaceTrack(camera(640, 360));
  assert.equal(sender.encoding.scaleResolutionDownBy, 1);
});

test('what is asked for at once does not undo one another', async () => {
  const sender = new Sender(camera(1280, 720));
  const sending = new VideoSender(sender);
  await Promise.all([
    sending.setActive(false),
    sending.applyHint(hint({ max_side: 640, max_framerate: 20 })),
    sending.replaceTrack(camera(1920, 1080)),
    sending.applyHint(hint({ max_side: 480, max_framerate: 10 })),
  ]);
  assert.deepEqual(sender.encoding, { active: false, maxBitrate: 1_500_000, scaleResolutionDownBy: 4,
    maxFramerate: 10 });
  await sending.setActive(true);
  assert.deepEqual(sender.encoding, { active: true, maxBitrate: 1_500_000, scaleResolutionDownBy: 4,
    maxFramerate: 10 });
});

test('a browser that refuses a limit still pauses', async () => {
  const sender = new Sender(camera(1280, 720));
  sender.check = ({ encodings }) => {
    if (encodings[0].maxFramerate !== undefined) throw new Error('maxFramerate is not supported');
  };
  const sending = new VideoSender(sender);
  const obeyed = sending.applyHint(hint({ max_side: 640, max_framerate: 15 }));
  const paused = sending.setActive(false);
  await assert.rejects(obeyed, /maxFramerate/);
  await paused;
  assert.deepEqual(sender.encoding, { active: false, maxBitrate: 1_500_000 });
});

test('it sends no more than the server can use and the device can spare', async () => {
  const sender = new Sender(camera(640, 480));
  const sending = new VideoSender(/** @type {any} */ (sender));
  const rates = [];
  for (const act of [() => sending.limitFramerate(Infinity), () => sending.limitFramerate(10),
    () => sending.applyHint(hint({ max_framerate: 15 })), () => sending.applyHint(hint({ max_framerate: 5 })),
    () => sending.limitFramerate(Infinity), () => sending.applyHint(hint({}))]) {
    await act();
    rates.push(sender.encoding.maxFramerate);
  }
  assert.deepEqual(rates, [undefined, 10, 10, 5, 5, undefined]);
});
