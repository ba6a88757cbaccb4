// Server-sent events (HTML standard, section 9.2) read with fetch, which EventSource does not let show a token.

const MAX_CHARACTERS = 1 << 20; // characters of one event: over that something else is at the other end

/**
 * @typedef {object} ServerEvent
 * @property {string} type `message` where the stream names none
 * @property {string} data
 * @property {string} id the last that the stream gave
 */

/**
 * Reads events until the stream ends. Comments and the time to wait before the next try are skipped.
 * @param {ReadableStream<Uint8Array>} body of a response with `text/event-stream`
 * @returns {AsyncGenerator<ServerEvent, void, void>}
 * @throws {Error} what reading throws; an event that has no end
 */
export async function* readServerSentEvents(body) {
  const parser = new Parser();
  const reader = body.pipeThrough(/** @type {ReadableWritablePair<string, Uint8Array>} */ (/** @type {unknown} */ (new TextDecoderStream()))).getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield* parser.push(value);
    }
  } finally {
    reader.cancel().catch(() => {}); // it has failed, or nobody reads on
  }
}

class Parser {
  #rest = '';
  #type = '';
  #id = '';
  /** @type {string[]} */
  #data = [];
  #size = 0;

  /** @param {string} text @returns {Generator<ServerEvent, void, void>} */
  *push(text) {
    this.#rest += text;
    if (this.#rest.length + this.#size > MAX_CHARACTERS) throw new Error(`an event is over ${MAX_CHARACTERS} characters`);
    // The last line may go on, and a CR at the end may be half of a CR LF.
    const lines = this.#rest.split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop() ?? '';
    for (const line of lines) {
      const event = this.#line(line);
      if (event) yield event;
    }
  }

  /** @param {string} line @returns {ServerEvent | undefined} what an empty line completes */
  #line(line) {
    if (line === '') return this.#complete();
    const [, field, value] = /** @type {RegExpMatchArray} */ (line.match(/^([^:]*):? ?(.*)$/s));
    if (field === 'event') this.#type = value;
    else if (field === 'id' && !value.includes('\0')) this.#id = value;
    else if (field === 'data') {
      this.#data.push(value);
      this.#size += value.length;
    }
    return undefined;
  }

  #complete() {
    const event = { type: this.#type || 'message', data: this.#data.join('\n'), id: this.#id };
    const empty = this.#data.length === 0;
    this.#type = '';
    this.#data = [];
    this.#size = 0;
    return empty ? undefined : event;
  }
}
