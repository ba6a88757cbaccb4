// Sends fewer pictures while the browser tells that the battery is nearly empty or that data are to be saved. Loaded where a browser tells.

const LOW = 0.2; // of the battery, while it is not charged
const FRAMERATE = 10; // a second: labels then come as often

/** @typedef {EventTarget & {charging: boolean, level: number}} Battery */

/**
 * @param {{limitFramerate: (most: number) => Promise<void>}} sender
 * @param {AbortSignal} signal its end
 */
export async function limitOnLowBattery(sender, signal) {
  const { connection, getBattery } = /** @type {{connection?: EventTarget & {saveData: boolean}, getBattery?: () => Promise<Battery>}} */ (/** @type {unknown} */ (navigator));
  // In a frame of another origin the battery may be none of its business.
  const battery = await Promise.resolve(getBattery?.call(navigator)).catch(() => undefined);
  if (signal.aborted) return;
  let sparing = false;
  const look = () => {
    const spare = connection?.saveData === true || (battery !== undefined && !battery.charging && battery.level <= LOW);
    if (spare === sparing) return;
    sparing = spare;
    sender.limitFramerate(spare ? FRAMERATE : Infinity).catch(() => {}); // a browser that cannot goes on as before
  };
  battery?.addEventListener('levelchange', look, { signal });
  battery?.addEventListener('chargingchange', look, { signal });
  connection?.addEventListener('change', look, { signal });
  look();
}
