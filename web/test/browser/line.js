// A bad line between a browser and the server's media port: a relay of UDP that loses, delays, narrows, stops, and
// changes address.

import { createSocket } from 'node:dgram';
import { once } from 'node:events';

const HOST = '127.0.0.1';
const QUEUE = 0.3; // seconds of packets that wait before a narrow line; what comes then is lost

/**
 * @typedef {object} Conditions
 * @property {number} [loss] share of the datagrams, 0 … 1, either way
 * @property {number} [delay] ms, one way
 * @property {number} [jitter] ms more or less than delay, each datagram its own, so that they overtake each other
 * @property {number} [rate] bit/s to the server
 * @property {boolean} [down] nothing passes
 */

export class Line {
  /** @type {Conditions} */
  conditions = {};
  /** Datagrams that came, either way: a browser that found another way to the server sends few here. */
  seen = 0;
  /** @type {Map<number, {port: number, far: import('node:dgram').Socket}>} by the browser's port */
  #ways = new Map();
  /** @type {Set<NodeJS.Timeout>} */
  #underWay = new Set();
  #free = 0; // when the narrow part has sent what it has, ms
  #near = createSocket('udp4');
  #server;

  /** @param {number} server the media port */
  constructor(server) {
    this.#server = server;
  }

  /** @returns {Promise<number>} the port that stands for the server's */
  async open() {
    this.#near.on('message', (data, from) => {
      const way = this.#ways.get(from.port) ?? this.#connect(from.port);
      this.#carry(this.#narrow(data.length), () => way.far.send(data, this.#server, HOST));
    });
    this.#near.bind(0, HOST);
    await once(this.#near, 'listening');
    return this.#near.address().port;
  }

  /** @param {number} port */
  #connect(port) {
    const way = { port, far: this.#socket(port) };
    this.#ways.set(port, way);
    return way;
  }

  /** The server's side of a way. @param {number} port */
  #socket(port) {
    const far = createSocket('udp4');
    far.on('message', (data) => this.#carry(0, () => this.#near.send(data, port, HOST)));
    return far;
  }

  /** How long a datagram waits for those before it, ms; undefined when there is no room. @param {number} bytes */
  #narrow(bytes) {
    const { rate } = this.conditions;
    if (!rate) return 0;
    const now = performance.now();
    if (this.#free > now + QUEUE * 1000) return undefined;
    this.#free = Math.max(this.#free, now) + (bytes + 28) * 8000 / rate; // with the headers of IP and UDP
    return this.#free - now;
  }

  /** @param {number | undefined} wait ms @param {() => void} send */
  #carry(wait, send) {
    this.seen++;
    const { loss = 0, delay = 0, jitter = 0, down = false } = this.conditions;
    if (down || wait === undefined || Math.random() < loss) return;
    const timer = setTimeout(() => {
      this.#underWay.delete(timer);
      send();
    }, wait + delay + jitter * (2 * Math.random() - 1));
    this.#underWay.add(timer);
  }

  /**
   * The browser's packets come from another address from now on, as when a router forgets it or a phone changes its
   * network.
   */
  move() {
    for (const way of this.#ways.values()) {
      way.far.close();
      way.far = this.#socket(way.port);
    }
  }

  close() {
    for (const timer of this.#underWay) clearTimeout(timer);
    for (const { far } of this.#ways.values()) far.close();
    this.#near.close();
  }
}
