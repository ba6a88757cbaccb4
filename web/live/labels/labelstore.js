// What is known of the faces in this session. Pure: the time is passed in, in milliseconds.

import { Health } from './health.js';
import { ScoreHistory } from './scorehistory.js';
import { EXPRESSIONS } from '../palette.js';
import { SessionLog } from './sessionlog.js';
import { FaceSelection } from './faceselection.js';

const STALE_MS = 1000; // what is older than this is no longer shown as being so
const NO_FACE_MS = 1500;
const NO_LABELS_MS = 4000;

/** @typedef {import('../../client/wire.js').Face} Face */
/** @typedef {import('../../client/wire.js').Model} Model */

export class LabelStore {
  #selection = new FaceSelection();
  #history = new ScoreHistory();
  /** @type {readonly string[]} */
  #labels = EXPRESSIONS;
  /** @type {readonly Model[]} */
  #models = [];
  #model = ''; // name of the one that the newest message is of
  /** @type {Model | undefined} the one that labels and history are of */
  #loggedModel;
  /** @type {import('../../client/wire.js').Labels | undefined} */
  #last;
  #lastAt = -Infinity;
  #heads = 0;
  /** @type {Face | undefined} */
  #face;
  /** @type {readonly number[] | undefined} */
  #scores;
  #faceAt = -Infinity; // when the selected face was seen
  #anyAt = -Infinity; // when any face was

  /** The server's name for the session; empty until it said so. */
  session = '';
  health = new Health();
  log = new SessionLog();

  /** Names of the scores, in their order: the usual eight until the server says which. */
  get labels() {
    return this.#labels;
  }

  get selected() {
    return this.#selection.id;
  }

  /** What may be chosen from: empty until the server says. */
  get models() {
    return this.#models;
  }

  /** The one in use. */
  get model() {
    return this.#models.find((m) => m.name === this.#model);
  }

  /** The one that the record is of; it stays when the session ends. */
  get loggedModel() {
    return this.#loggedModel;
  }

  /** The selected face's scores, in the order of labels; undefined while it is not known whose they are. @param {number} now */
  scores(now) {
    return this.face(now) && this.#scores;
  }

  /** How many heads the model has; 0 until it has told where it looks. */
  get heads() {
    return this.#heads;
  }

  /** What the server offers. @param {import('../../client/wire.js').Hello} hello */
  hello({ session, model, models = [model] }) {
    this.session = session;
    this.#models = models;
    this.#setModel(this.#last?.model ?? model.name);
    const face = this.#last?.faces.find((f) => f.id === this.selected);
    if (face && this.#matches(face)) this.#scores = face.scores; // it came before its names
  }

  /** The stream begins or goes on: hints wait from here. @param {number} now */
  start(now) {
    this.#lastAt = this.#anyAt = now;
  }

  /** Forgets everything but the labels' names and the record: face ids and models are a session's own. */
  reset() {
    this.#last = this.#face = this.#scores = undefined;
    this.#models = [];
    this.#selection.reset();
    this.#history.clear();
    this.health = new Health();
  }

  /** @param {import('../../client/wire.js').Labels} message @param {number} now */
  receive(message, now) {
    this.#last = message;
    this.#lastAt = now;
    // The channels are unordered: which labels the scores are of stands in the message itself.
    this.#setModel(message.model ?? this.#model);
    if (message.faces.length > 0) this.#anyAt = now;
    this.#setFace(this.#selection.update(message.faces, now), now);
    this.health.add(message, now);
    this.#heads = message.faces[0]?.attention?.heads ?? this.#heads; // a face may be away for a moment
    for (const face of message.faces) {
      if (this.#matches(face)) this.#history.add(face.id, now, face.scores);
    }
    if (message.faces.every((face) => this.#matches(face))) this.log.add(message, now);
  }

  /** @param {number} id of the face to be about @param {number} now */
  select(id, now) {
    this.#selection.select(id, now);
    this.#setFace(this.#last?.faces.find((f) => f.id === id), now);
  }

  /** The faces in view, the largest when there are more than `most`. @param {number} now @param {number} [most] @returns {Face[]} */
  faces(now, most = Infinity) {
    const faces = this.#last && now - this.#lastAt < STALE_MS ? this.#last.faces : [];
    return largest(faces, most);
  }

  /** Pixels of the newest frame's width; 0 before there is one. */
  get width() {
    return this.#last?.width ?? 0;
  }

  /** The selected face, while it is in view. @param {number} now */
  face(now) {
    return now - this.#faceAt < STALE_MS ? this.#face : undefined;
  }

  /** The last minute of the selected face. */
  samples() {
    return this.#history.of(this.#selection.id);
  }

  /** What to hint at, while live. @param {number} now @returns {'silent' | 'no-face' | undefined} */
  missing(now) {
    if (now - this.#lastAt > NO_LABELS_MS) return 'silent';
    if (this.#last && now - this.#anyAt > NO_FACE_MS) return 'no-face';
    return undefined;
  }

  /** @param {Face | undefined} face @param {number} now */
  #setFace(face, now) {
    if (!face) return;
    this.#face = face;
    this.#faceAt = now;
    this.#scores = this.#matches(face) ? face.scores : undefined;
  }

  /** Reads what comes as said by a model. @param {string} name */
  #setModel(name) {
    this.#model = name;
    const { model } = this;
    if (!model || model === this.#loggedModel) return;
    this.#loggedModel = model;
    if (String(model.labels) !== String(this.#labels)) this.log.clear(); // it has a column for each label
    this.#labels = model.labels;
    this.#heads = 0;
    this.#scores = undefined;
    this.#history.clear();
  }

  /** Whether a face's scores are known to be those of labels. @param {Face} face */
  #matches(face) {
    return this.model !== undefined && face.scores.length === this.#labels.length;
  }
}

/**
 * The largest faces, in the order that they have.
 * @param {readonly Face[]} faces
 * @param {number} most
 * @returns {Face[]}
 */
export function largest(faces, most) {
  if (faces.length <= most) return [...faces];
  const chosen = [...faces].sort((a, b) => b.box[2] * b.box[3] - a.box[2] * a.box[3]).slice(0, most);
  return faces.filter((face) => chosen.includes(face));
}
