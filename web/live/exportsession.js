// Exports the session as a file.

import { chartPicture } from './chart.js';
import { download, toCSV, toJSON } from './export.js';

/**
 * @param {'csv' | 'json' | 'png'} what
 * @param {import('./labels/labelstore.js').LabelStore} store
 * @param {import('./timeline.js').TimelinePicture} shown
 * @param {import('../words/language.js').Language} language
 * @param {AbortSignal} signal
 */
export async function exportSession(what, store, shown, language, signal) {
  const at = new Date();
  const name = `mindflow-${at.toISOString().slice(0, 19).replaceAll(':', '')}.${what}`;
  const { log, labels, loggedModel } = store;
  if (what === 'png') download(await chartPicture(shown, language, at), name, signal);
  else if (what === 'csv') download(new Blob([toCSV(log.rows, labels)], { type: 'text/csv' }), name, signal);
  else download(new Blob([toJSON(log, { model: loggedModel?.name ?? '', labels })], { type: 'application/json' }), name,
    signal);
}
