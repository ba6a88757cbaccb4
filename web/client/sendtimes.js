// When frames of a connection were seen encoded, where the browser lets a page look (RTCRtpScriptTransform) and a worker may be loaded.

const WAIT_MS = 400; // for the worker: it is asked for while the camera is

export class SendTimes {
  /** @type {Worker | undefined} */
  #worker;
  #ready = false;
  /** @type {Promise<void>} settled when it is known whether there is a worker */
  #settled = Promise.resolve();
  #settle = () => {};
  /** @type {Map<number, import('./clock.js').CaptureClock>} by sender */
  #clocks = new Map();
  #next = 0;

  /** Loads the worker, unless it is there. */
  open() {
    if (this.#worker || typeof RTCRtpScriptTransform === 'undefined') return;
    try {
      this.#listen(loadWorker(new URL('./stamper.js', import.meta.url)));
    } catch {
      // The page's policy forbids it.
    }
  }

  /** @param {{worker: Worker, loaded: () => void}} loading */
  #listen({ worker, loaded }) {
    this.#worker = worker;
    this.#settled = new Promise((resolve) => {
      const timer = setTimeout(resolve, WAIT_MS);
      const settle = (this.#settle = () => {
        clearTimeout(timer);
        loaded();
        resolve();
      });
      worker.onerror = (event) => {
        event.preventDefault(); // the page goes on without it
        if (!this.#ready && this.#worker === worker) this.close();
      };
      worker.onmessage = ({ data }) => {
        if (data === 'ready') {
          this.#ready = true;
          settle();
        } else this.#clocks.get(data.id)?.addBound(data.rtp, data.at - performance.timeOrigin, true);
      };
    });
  }

  /** Waits until it is known whether there is a worker, but not for long. */
  settled() {
    return this.#settled;
  }

  /**
   * Tells a clock when a sender's frames were seen. Chromium heeds it only in the task in which the sender was made, and a sender whose
   * worker does not run sends nothing.
   * @param {RTCRtpSender} sender
   * @param {import('./clock.js').CaptureClock} clock
   * @param {AbortSignal} signal the sender's end
   */
  observe(sender, clock, signal) {
    if (!this.#worker || !this.#ready || !('transform' in sender)) return;
    const id = this.#next++;
    try {
      sender.transform = new RTCRtpScriptTransform(this.#worker, { id });
    } catch {
      return; // it is sent as it would have been
    }
    this.#clocks.set(id, clock);
    signal.addEventListener('abort', () => this.#clocks.delete(id), { once: true });
  }

  close() {
    this.#worker?.terminate();
    this.#worker = undefined;
    this.#ready = false;
    this.#settle();
  }
}

/** Begins to load a worker of ours, in a page of whatever origin. @param {URL} url @returns {{worker: Worker, loaded: () => void}} @throws {DOMException} */
function loadWorker(url) {
  if (url.origin === location.origin) return { worker: new Worker(url, { type: 'module' }), loaded: () => {} };
  // Workers of another origin are not loaded, but one of the page's own may import what its policy lets the page import.
  const address = URL.createObjectURL(new Blob([`import ${JSON.stringify(url.href)};`], { type: 'text/javascript' }));
  const loaded = () => URL.revokeObjectURL(address);
  try {
    return { worker: new Worker(address, { type: 'module' }), loaded };
  } catch (error) {
    loaded();
    throw error;
  }
}
