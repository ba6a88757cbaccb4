// Observes when a connection's frames leave the encoder, if the browser has RTCRtpScriptTransform and the page may load
// a worker.

const WAIT_MS = 400; // for the worker, which loads while the camera is being opened

export class SendTimes {
  /** @type {Worker | undefined} */
  #worker;
  #ready = false;
  /** @type {Promise<void>} resolves when the worker is ready, or will not be */
  #settled = Promise.resolve();
  #settle = () => {};
  /** @type {Map<number, import('./clock.js').CaptureClock>} by id of the sender */
  #clocks = new Map();
  #next = 0;

  /** Loads the worker, unless it is loaded. */
  open() {
    if (this.#worker || typeof RTCRtpScriptTransform === 'undefined') return;
    try {
      this.#listen(loadWorker(new URL('./stamper.js', import.meta.url)));
    } catch {
      // the page's policy forbids it
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
        event.preventDefault(); // the page works without it
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

  /** Resolves when the worker is ready, or after a short wait. */
  settled() {
    return this.#settled;
  }

  /**
   * Passes the times of a sender's frames to a clock. Chromium ignores a transform that is set after the task in which
   * the sender was made, and a sender whose worker does not run sends nothing.
   * @param {RTCRtpSender} sender
   * @param {import('./clock.js').CaptureClock} clock
   * @param {AbortSignal} signal ends with the sender
   */
  observe(sender, clock, signal) {
    if (!this.#worker || !this.#ready || !('transform' in sender)) return;
    const id = this.#next++;
    try {
      sender.transform = new RTCRtpScriptTransform(this.#worker, { id });
    } catch {
      return; // it sends without a transform
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

/** Makes script addresses for pages that require Trusted Types; made once, since a name can be taken. @type {any} */
let policy;

/**
 * The address in the form in which such pages take it, if they allow the policy "mindflow".
 * @param {string} address
 * @returns {string}
 * @throws {TypeError}
 */
function trusted(address) {
  const { trustedTypes } = /** @type {any} */ (globalThis);
  policy ??= trustedTypes?.createPolicy('mindflow', { createScriptURL: (/** @type {string} */ url) => url });
  return policy?.createScriptURL(address) ?? address;
}

/**
 * Starts to load our worker, in a page of any origin.
 * @param {URL} url
 * @returns {{worker: Worker, loaded: () => void}}
 * @throws {DOMException | TypeError}
 */
function loadWorker(url) {
  if (url.origin === location.origin) {
    return { worker: new Worker(trusted(url.href), { type: 'module' }), loaded: () => {} };
  }
  // Workers of another origin are not loaded. A worker of the page's own may import ours, if the page's policy allows
  // it.
  const address = URL.createObjectURL(new Blob([`import ${JSON.stringify(url.href)};`], { type: 'text/javascript' }));
  const loaded = () => URL.revokeObjectURL(address);
  try {
    return { worker: new Worker(trusted(address), { type: 'module' }), loaded };
  } catch (error) {
    loaded();
    throw error;
  }
}
