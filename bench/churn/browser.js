// Opens the page in a new Chromium, presses Start, and stays until it is killed. It prints the browser's process group
// and, at the moment that its argument names, one more line: `offered` at the answer to the offer, `live` when labels
// come.
//
//   node bench/churn/browser.js URL offered|live FOLDER
//
// FOLDER is for the browser's profile. The caller removes it, as this process is killed.

import { launch, openPage, press, waitLabels, waitState } from '../../web/test/browser/driver.js';

const patience = 150_000; // the machine may be busy
const [url, moment, profile] = process.argv.slice(2);
process.on('uncaughtException', (error) => {
  console.log(`failed: ${error.message.split('\n')[0]}`);
  process.exit(1);
});
const browser = await launch({ count: 1, flags: [`--user-data-dir=${profile}`] });
console.log(browser.process()?.pid);
const page = await openPage(browser, url);
if (moment === 'offered') {
  page.on('response', (response) => {
    if (response.status() === 201) console.log('offered');
  });
}
await press(page, '.card-button');
if (moment === 'live') {
  await waitState(page, 'live', undefined, patience);
  await waitLabels(page, 3, patience);
  console.log('live');
}
