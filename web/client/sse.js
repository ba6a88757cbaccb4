// Reads server-sent events (HTML standard, section 9.2) with fetch, as EventSource cannot send an Authorization header.

const MAX_CHARACTERS = 1 << 20; // of one event; anything longer is not an event stream of ours

/**
 * @typedef {object} ServerEvent
 * @property {string} type `message` if the stream names none
 * @property {string} data
 * @property {string} id the last id of the stream
 */

/**
 * Yields events until the stream ends. Comments and `retry` fields are skipped.
 * @param {ReadableStream<Uint8Array>} body of a response of type `text/event-stream`
 * @returns {AsyncGenerator<ServerEvent, void, void>}
 * @throws {Error} if reading fails or an event is too long
 */
export async function* readServerSentEvents(body) {
  const parser = new Parser();
  const reader =
    body.pipeThrough(/** @type {ReadableWritablePair<string, Uint8Array>} */ (
    /** @type {unknown} */ (new TextDecoderStream()))).getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield* parser.push(value);
    }
  } finally {
    reader.cancel().catch(() => {}); // it has failed already, or the caller stopped reading
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
    if (this.#rest.length + this.#size > MAX_CHARACTERS) {
      throw new Error(`an event is over ${MAX_CHARACTERS} characters`);
    }
    // The last line may be incomplete, and a final CR may be half of a CR LF.
    const lines = this.#rest.split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop() ?? '';
    for (const line of lines) {
      const event = this.#line(line);
      if (event) yield event;
    }
  }

  /** @param {string} line @returns {ServerEvent | undefined} the event that an empty line completes */
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
