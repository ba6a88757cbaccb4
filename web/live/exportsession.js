// Takes the session along as a file.

import { chartPicture } from './chart.js';
import { download, toCSV, toJSON } from './export.js';

/**
 * @param {'csv' | 'json' | 'png'} what
 * @param {import('./labels/labelstore.js').Reading} reading
 * @param {import('./timeline.js').Shown} shown
 * @param {import('../words/language.js').Language} language
 * @param {AbortSignal} signal
 */
export async function take(what, reading, shown, language, signal) {
  const at = new Date();
  const name = `mindflow-${at.toISOString().slice(0, 19).replaceAll(':', '')}.${what}`;
  const { record, labels, read } = reading;
  if (what === 'png') download(await chartPicture(shown, language, at), name, signal);
  else if (what === 'csv') download(new Blob([toCSV(record.rows, labels)], { type: 'text/csv' }), name, signal);
  else download(new Blob([toJSON(record, { model: read?.name ?? '', labels })], { type: 'application/json' }), name, signal);
}
