// Pauses while the page has no picture to send because it is hidden, as on a locked phone, and resumes when it is
// visible again.

export class AutoPause {
  #client;
  #end;
  /** @type {AbortController | undefined} ends the track's listeners */
  #listening;
  /** @type {MediaStreamTrack | undefined} */
  #track;
  #drawn = false;
  #pausedHere = false; // paused here; a pause by the visitor is not resumed

  /** @param {import('../client/client.js').Client} client @param {AbortSignal} signal ends the listeners */
  constructor(client, signal) {
    this.#client = client;
    this.#end = signal;
  }

  start() {
    const signal = this.#end;
    const update = () => this.update();
    document.addEventListener('visibilitychange', update, { signal });
    // A frozen page runs no code until it resumes (Page Lifecycle).
    document.addEventListener('freeze', () => this.#pause(), { signal });
    document.addEventListener('resume', update, { signal });
    signal.addEventListener('abort', () => this.watch(undefined), { once: true });
  }

  /**
   * Watches a track, or none.
   * @param {MediaStreamTrack | undefined} track
   * @param {boolean} [drawn] whether this page draws it, which stops while the page is hidden
   */
  watch(track, drawn = false) {
    this.#listening?.abort();
    this.#track = track;
    this.#drawn = drawn;
    if (!track) return;
    const { signal } = (this.#listening = new AbortController());
    for (const type of ['mute', 'unmute']) track.addEventListener(type, () => this.update(), { signal });
  }

  /** Pauses or resumes. Phones mute the camera of pages in the background; other devices keep it running. */
  update() {
    if (document.hidden) {
      if (this.#drawn || this.#track?.muted) this.#pause();
    } else if (this.#pausedHere) {
      this.#pausedHere = false;
      void this.#client.resume();
    }
  }

  #pause() {
    if (this.#client.state.phase !== 'live') return;
    this.#pausedHere = true;
    void this.#client.pause();
  }
}
