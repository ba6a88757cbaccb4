// Pauses while the page has no picture to send because nobody sees it, as when a phone is locked, and goes on when it is back.

export class AutoPause {
  #client;
  #end;
  /** @type {AbortController | undefined} of listening to the track */
  #listening;
  /** @type {MediaStreamTrack | undefined} */
  #track;
  #drawn = false;
  #pausedHere = false; // by us: a pause of the visitor's is not ours to end

  /** @param {import('../client/client.js').Client} client @param {AbortSignal} signal its end */
  constructor(client, signal) {
    this.#client = client;
    this.#end = signal;
  }

  start() {
    const signal = this.#end;
    const look = () => this.update();
    document.addEventListener('visibilitychange', look, { signal });
    // A page that is frozen does nothing more until it is thawed, not even say that it is there (Page Lifecycle).
    document.addEventListener('freeze', () => this.#pause(), { signal });
    document.addEventListener('resume', look, { signal });
    signal.addEventListener('abort', () => this.watch(undefined), { once: true });
  }

  /**
   * Takes a picture, or leaves it.
   * @param {MediaStreamTrack | undefined} track
   * @param {boolean} [drawn] by this page, which it does only while it is seen
   */
  watch(track, drawn = false) {
    this.#listening?.abort();
    this.#track = track;
    this.#drawn = drawn;
    if (!track) return;
    const { signal } = (this.#listening = new AbortController());
    for (const type of ['mute', 'unmute']) track.addEventListener(type, () => this.update(), { signal });
  }

  /** Pauses or goes on, as it is now. Phones take the camera from pages in the background, by muting it; elsewhere they keep it, and are read on. */
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
