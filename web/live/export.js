// Writes the session as CSV and JSON, on the visitor's device.

/** @typedef {import('./labels/sessionlog.js').Row} Row */

/**
 * The same columns as `mindflow video --csv`.
 * @param {readonly Row[]} rows
 * @param {readonly string[]} labels in the order of the scores
 */
export function toCSV(rows, labels) {
  const lines = rows.map(({ t, frame, face }) => [
    (t / 1000).toFixed(3), frame, face.id, ...face.box.map(short), face.label, short(face.confidence),
      ...face.scores.map(short),
  ].map(cell).join(','));
  return [['t', 'frame', 'face', 'x', 'y', 'w', 'h', 'label', 'confidence', ...labels].map(cell).join(','), ...lines,
    ''].join('\n');
}

/**
 * One object with all that the page knows of the session.
 * @param {import('./labels/sessionlog.js').SessionLog} log
 * @param {{model: string, labels: readonly string[]}} by
 */
export function toJSON(log, { model, labels }) {
  const rows = log.rows.map(({ t, frame, face }) => ({
    t: t / 1000, frame, face: face.id, box: face.box.map(short), label: face.label, uncertain: face.uncertain,
    confidence: short(face.confidence), scores: face.scores.map(short),
  }));
  const summary = { seconds: log.duration / 1000, shares: log.shares(), changes: log.changes(),
    forgotten: log.dropped };
  return JSON.stringify({ v: 1, model, labels, summary, rows });
}

/**
 * Downloads a file.
 * @param {Blob} blob
 * @param {string} name
 * @param {AbortSignal} signal revokes its URL at the latest
 */
export function download(blob, name, signal) {
  if (signal.aborted) return;
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  const release = () => {
    clearTimeout(timer);
    signal.removeEventListener('abort', release);
    URL.revokeObjectURL(link.href);
  };
  const timer = setTimeout(release, 10_000); // Safari reads it a moment later
  signal.addEventListener('abort', release);
}

/** @param {number} value */
function short(value) {
  return Math.round(value * 1e4) / 1e4;
}

/** Writes a field of RFC 4180. @param {string | number} value */
function cell(value) {
  const text = String(value);
  if (typeof value === 'number') return text;
  const harmless = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text; // a spreadsheet would evaluate it as a formula
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}
