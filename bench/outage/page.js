// The page's side of outage.sh: node page.js URL ROUTER SECONDS...

import { execFileSync } from 'node:child_process';
import {
  launch, makeCamera, openPage, press, seen, until, waitLabels, waitState,
} from '../../web/test/browser/driver.js';
import { aClip } from '../../web/test/browser/truth.js';

const [url, router, ...outages] = process.argv.slice(2);
const forward = (on) =>
  execFileSync('ip', ['netns', 'exec', router, 'sysctl', '-qw', `net.ipv4.ip_forward=${on ? 1 : 0}`]);

await until(async () => (await fetch(`${url}/readyz`).catch(() => undefined))?.ok, 60_000);
const camera = await makeCamera(await aClip(), { width: 640, height: 480, fps: 24 });
const browser = await launch({ camera, flags: [`--unsafely-treat-insecure-origin-as-secure=${url}`] });
try {
  for (const seconds of outages) {
    const page = await openPage(browser, 'about:blank');
    await page.evaluateOnNewDocument(() => {
      window.times = [];
      addEventListener('mindflow-labels', () => window.times.push(Date.now()));
    });
    await page.goto(url, { waitUntil: 'load' });
    await press(page, '.card-button');
    await waitState(page, 'live', undefined, 60_000);
    await waitLabels(page, 100, 60_000);
    forward(false);
    await new Promise((resolve) => setTimeout(resolve, Number(seconds) * 1000)); // the length of the outage
    forward(true);
    const since = Date.now();
    const back = async () =>
      (await page.evaluate(() => window.times)).find((t, i, all) => t >= since && all[i + 9] - t < 1000);
    await until(async () => (await back()) !== undefined, 60_000);
    const sessions = (await seen(page, 'states')).filter(({ state }) => state === 'live').length;
    const which = sessions === 1 ? 'the same session' : `session ${sessions}`;
    console.log(`${seconds} s without a packet: labels after ${(await back()) - since} ms, ${which}`);
    await page.close();
  }
} finally {
  await browser.close();
}
