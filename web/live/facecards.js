// One card per face in view, to choose from: a thumbnail of the visitor's own picture, and the label.

const SIDE = 44; // CSS pixels
const MARGIN = 0.2; // of the box, on each side

export class FaceCards {
  #root;
  #language;
  #key = '';

  /**
   * @param {HTMLElement} root
   * @param {(id: number) => void} onpick
   * @param {import('../words/language.js').Language} language
   * @param {AbortSignal} signal ends the listeners
   */
  constructor(root, onpick, language, signal) {
    this.#root = root;
    this.#language = language;
    root.addEventListener('click', (e) => {
      const button = e.target instanceof Element ? e.target.closest('button') : null;
      if (button) onpick(Number(button.value));
    }, { signal });
  }

  /**
   * Shows the cards if there are several faces.
   * @param {readonly import('../client/wire.js').Face[]} faces
   * @param {number | undefined} selected
   */
  offer(faces, selected) {
    const ids = faces.map((f) => f.id).sort((a, b) => a - b);
    const key = `${ids} ${selected}`;
    if (key !== this.#key) { // rebuilding would lose the focus
      this.#key = key;
      this.#root.hidden = ids.length < 2;
      this.#arrange(ids, selected);
    }
    if (this.#root.hidden) return;
    for (const face of faces) {
      const label = this.#card(face.id)?.querySelector('.face-label');
      const text = this.#language.tag(face);
      if (label && label.textContent !== text) label.textContent = text;
    }
  }

  /**
   * Draws the thumbnails.
   * @param {HTMLVideoElement} video
   * @param {readonly import('../client/wire.js').Face[]} faces
   * @param {boolean} mirror
   */
  draw(video, faces, mirror) {
    if (this.#root.hidden || video.videoWidth === 0) return;
    for (const face of faces) {
      const canvas = this.#card(face.id)?.querySelector('canvas');
      const ctx = canvas?.getContext('2d');
      if (!canvas || !ctx) continue;
      canvas.classList.toggle('turned', mirror);
      const [x, y, w, h] = face.box;
      const [cx, cy] = [(x + w / 2) * video.videoWidth, (y + h / 2) * video.videoHeight];
      const side = (1 + 2 * MARGIN) * Math.max(w * video.videoWidth, h * video.videoHeight);
      ctx.clearRect(0, 0, canvas.width, canvas.height);
      ctx.drawImage(video, cx - side / 2, cy - side / 2, side, side, 0, 0, canvas.width, canvas.height);
    }
  }

  /** @param {number} id @returns {HTMLButtonElement | null} */
  #card(id) {
    return this.#root.querySelector(`button[value="${id}"]`);
  }

  /** @param {number[]} ids @param {number | undefined} selected */
  #arrange(ids, selected) {
    for (const button of this.#root.querySelectorAll('button')) if (
      !ids.includes(Number(button.value))) button.remove();
    ids.forEach((id, i) => {
      const button = this.#card(id) ?? this.#make(id);
      button.setAttribute('aria-pressed', String(id === selected));
      if (this.#root.children[i] !== button) this.#root.insertBefore(button, this.#root.children[i] ?? null);
    });
  }

  /** @param {number} id */
  #make(id) {
    const button = Object.assign(document.createElement('button'), { type: 'button', value: String(id) });
    const canvas = document.createElement('canvas');
    const side = Math.round(SIDE * devicePixelRatio);
    Object.assign(canvas, { width: side, height: side });
    canvas.setAttribute('aria-hidden', 'true');
    const text = document.createElement('span');
    const name = document.createElement('span');
    const label = document.createElement('span');
    name.className = 'face-name';
    label.className = 'face-label';
    name.textContent = this.#language.phrases.face(this.#language.number(id));
    text.append(name, ' ', label);
    button.append(canvas, text);
    return button;
  }
}
