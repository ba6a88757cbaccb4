// A button over a picture that the browser does not play without a tap, as phones in low-power mode. Loaded on demand.

/**
 * @param {HTMLVideoElement} video that was not allowed to play
 * @param {HTMLElement} stage that contains the video
 * @param {string} words
 */
export function showTapToPlay(video, stage, words) {
  if (!video.paused || stage.querySelector('.tap')) return;
  const button = Object.assign(document.createElement('button'),
    { className: 'tap', type: 'button', textContent: words });
  // Below the card, which may have a button. Styled by script, as a page's policy may forbid style sheets.
  Object.assign(button.style, {
    position: 'absolute', inset: '0', zIndex: '0', border: '0', font: 'inherit', fontWeight: '600', color: '#fff',
      background: 'rgb(13 15 18 / 0.78)', cursor: 'pointer',
  });
  const remove = () => {
    video.removeEventListener('playing', remove);
    video.removeEventListener('emptied', remove); // another source, or none
    button.remove();
  };
  video.addEventListener('playing', remove);
  video.addEventListener('emptied', remove);
  button.addEventListener('click', () => void video.play().catch(() => {})); // if it is refused, the button stays
  stage.append(button);
}
