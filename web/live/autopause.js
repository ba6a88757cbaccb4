// Pauses while the page has no picture to send because nobody sees it, as when a phone is locked, and goes on when it is back.

export class Background {
  #client;
  #end;
  /** @type {AbortController | undefined} of listening to the track */
  #listening;
  /** @type {MediaStreamTrack | undefined} */
  #track;
  #drawn = false;
  #paused = false; // by us: a pause of the visitor's is not ours to end

  /** @param {import('../client/client.js').Client} client @param {AbortSignal} signal its end */
  constructor(client, signal) {
    this.#client = client;
    this.#end = signal;
  }

  begin() {
    const signal = this.#end;
    const look = () => this.look();
    document.addEventListener('visibilitychange', look, { signal });
    // A page that is frozen does nothing more until it is thawed, not even say that it is there (Page Lifecycle).
    document.addEventListener('freeze', () => this.#pause(), { signal });
    document.addEventListener('resume', look, { signal });
    signal.addEventListener('abort', () => this.use(undefined), { once: true });
  }

  /**
   * Takes a picture, or leaves it.
   * @param {MediaStreamTrack | undefined} track
   * @param {boolean} [drawn] by this page, which it does only while it is seen
   */
  use(track, drawn = false) {
    this.#listening?.abort();
    this.#track = track;
    this.#drawn = drawn;
    if (!track) return;
    const { signal } = (this.#listening = new AbortController());
    for (const type of ['mute', 'unmute']) track.addEventListener(type, () => this.look(), { signal });
  }

  /** Pauses or goes on, as it is now. Phones take the camera from pages in the background, by muting it; elsewhere they keep it, and are read on. */
  look() {
    if (document.hidden) {
      if (this.#drawn || this.#track?.muted) this.#pause();
    } else if (this.#paused) {
      this.#paused = false;
      void this.#client.resume();
    }
  }

  #pause() {
    if (this.#client.state.phase !== 'live') return;
    this.#paused = true;
    void this.#client.pause();
  }
}
