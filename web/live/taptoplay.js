// A picture that a browser does not play by itself, as in the low-power mode of phones: it asks to be tapped. Loaded where that happens.

/**
 * @param {HTMLVideoElement} video that was refused
 * @param {HTMLElement} stage that it lies in
 * @param {string} words
 */
export function showTapToPlay(video, stage, words) {
  if (!video.paused || stage.querySelector('.tap')) return;
  const button = Object.assign(document.createElement('button'), { className: 'tap', type: 'button', textContent: words });
  // Below the card, which may have a button to press. Set by script, as pages' policies may forbid sheets.
  Object.assign(button.style, {
    position: 'absolute', inset: '0', zIndex: '0', border: '0', font: 'inherit', fontWeight: '600', color: '#fff', background: 'rgb(13 15 18 / 0.78)', cursor: 'pointer',
  });
  const remove = () => {
    video.removeEventListener('playing', remove);
    video.removeEventListener('emptied', remove); // another picture, or none
    button.remove();
  };
  video.addEventListener('playing', remove);
  video.addEventListener('emptied', remove);
  button.addEventListener('click', () => void video.play().catch(() => {})); // it is still there to be tapped again
  stage.append(button);
}
