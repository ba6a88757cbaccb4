// For pages that embed /embed in a frame: fits the frame's height to its content, and dispatches its events on the
// frame.

const home = new URL(import.meta.url).origin;

addEventListener('message', ({ origin, source, data }) => {
  if (origin !== home || typeof data?.type !== 'string' || !data.type.startsWith('mindflow-')) return;
  const frame = [...document.querySelectorAll('iframe')].find((f) => f.contentWindow === source);
  if (!frame) return;
  if (data.type === 'mindflow-size') frame.style.height = `${Number(data.height)}px`;
  else frame.dispatchEvent(new CustomEvent(data.type, { detail: data.detail, bubbles: true, composed: true }));
});
