// Plays a clip through headless Chromium's camera, our page and the server, and prints the label messages
// that come back, one a line.
//
//   node bench/agreement/browser.js BINARY CLIP

import { freePort, launch, makeCamera, openPage, press, seen, startServer, waitState } from '../../web/test/browser/driver.js';

const [binary, clip] = process.argv.slice(2);
const seconds = 25; // the clip once, and a while for starting
const camera = await makeCamera(clip, { fps: 24000 / 1001, seconds: 60, black: 8 }); // frame by frame as the file has them, once
const base = `http://localhost:${await freePort()}`;
const args = ['serve', '--listen', new URL(base).host.replace('localhost', '127.0.0.1'), '--media', `:${await freePort()}`];
const server = await startServer(binary, args, base);
let browser;
try {
  browser = await launch({ camera });
  const page = await openPage(browser, base);
  await press(page, '.card-button');
  await waitState(page, 'live');
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  for (const message of await seen(page, 'labels')) console.log(JSON.stringify(message));
} finally {
  await browser?.close();
  await server.stop();
}
