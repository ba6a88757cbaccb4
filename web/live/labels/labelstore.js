// Stores the labels of the session: models, faces, selection, history and log. Pure: the time is passed in, in
// milliseconds.

import { Health } from './health.js';
import { ScoreHistory } from './scorehistory.js';
import { EXPRESSIONS } from '../palette.js';
import { SessionLog } from './sessionlog.js';
import { FaceSelection } from './faceselection.js';

const STALE_MS = 1000; // older labels are not shown
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
  #model = ''; // name of the newest message's model
  /** @type {Model | undefined} the model of labels, history and log */
  #loggedModel;
  /** @type {import('../../client/wire.js').Labels | undefined} */
  #last;
  #lastAt = -Infinity;
  #heads = 0;
  /** @type {Face | undefined} */
  #face;
  /** @type {readonly number[] | undefined} */
  #scores;
  #faceAt = -Infinity; // when the selected face was last seen
  #anyAt = -Infinity; // when any face was last seen

  /** The session's id; empty until the server sends it. */
  session = '';
  health = new Health();
  log = new SessionLog();

  /** Names of the scores, in their order: the usual eight until the server sends its own. */
  get labels() {
    return this.#labels;
  }

  get selected() {
    return this.#selection.id;
  }

  /** The available models: empty until the server sends them. */
  get models() {
    return this.#models;
  }

  /** The model in use. */
  get model() {
    return this.#models.find((m) => m.name === this.#model);
  }

  /** The model of the log; kept after the session's end. */
  get loggedModel() {
    return this.#loggedModel;
  }

  /**
   * Returns the selected face's scores, in the order of the labels; undefined while their names are unknown.
   * @param {number} now
   */
  scores(now) {
    return this.face(now) && this.#scores;
  }

  /** The number of the model's heads; 0 before its first attention map. */
  get heads() {
    return this.#heads;
  }

  /** Receives the server's hello. @param {import('../../client/wire.js').Hello} hello */
  hello({ session, model, models = [model] }) {
    this.session = session;
    this.#models = models;
    this.#setModel(this.#last?.model ?? model.name);
    const face = this.#last?.faces.find((f) => f.id === this.selected);
    if (face && this.#matches(face)) this.#scores = face.scores; // it arrived before the names of its scores
  }

  /** Starts or resumes the stream, and with it the waiting times of `missing`. @param {number} now */
  start(now) {
    this.#lastAt = this.#anyAt = now;
  }

  /** Forgets everything but the names of the labels and the log: face ids and models belong to one session. */
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
    // The channels are unordered, so each message names its model.
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

  /** Selects a face. @param {number} id @param {number} now */
  select(id, now) {
    this.#selection.select(id, now);
    this.#setFace(this.#last?.faces.find((f) => f.id === id), now);
  }

  /**
   * Returns the faces in view, only the largest if there are more than `most`.
   * @param {number} now
   * @param {number} [most]
   * @returns {Face[]}
   */
  faces(now, most = Infinity) {
    const faces = this.#last && now - this.#lastAt < STALE_MS ? this.#last.faces : [];
    return largest(faces, most);
  }

  /** Width of the newest frame in pixels; 0 before the first one. */
  get width() {
    return this.#last?.width ?? 0;
  }

  /** Returns the selected face, if it is in view. @param {number} now */
  face(now) {
    return now - this.#faceAt < STALE_MS ? this.#face : undefined;
  }

  /** Returns the last minute of the selected face. */
  samples() {
    return this.#history.of(this.#selection.id);
  }

  /** Returns what is missing while live. @param {number} now @returns {'silent' | 'no-face' | undefined} */
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

  /** Sets the model of the messages to come. @param {string} name */
  #setModel(name) {
    this.#model = name;
    const { model } = this;
    if (!model || model === this.#loggedModel) return;
    this.#loggedModel = model;
    if (String(model.labels) !== String(this.#labels)) this.log.clear(); // it has a column per label
    this.#labels = model.labels;
    this.#heads = 0;
    this.#scores = undefined;
    this.#history.clear();
  }

  /** Reports whether a face's scores belong to the current labels. @param {Face} face */
  #matches(face) {
    return this.model !== undefined && face.scores.length === this.#labels.length;
  }
}

/**
 * Returns the largest faces, in their original order.
 * @param {readonly Face[]} faces
 * @param {number} most
 * @returns {Face[]}
 */
export function largest(faces, most) {
  if (faces.length <= most) return [...faces];
  const chosen = [...faces].sort((a, b) => b.box[2] * b.box[3] - a.box[2] * a.box[3]).slice(0, most);
  return faces.filter((face) => chosen.includes(face));
}
