// Limits the frame rate while the battery is low or the browser asks to save data. Loaded if the browser reports
// either.

const LOW = 0.2; // of the battery, while it is not charged
const FRAMERATE = 10; // frames per second; labels arrive at the same rate

/** @typedef {EventTarget & {charging: boolean, level: number}} Battery */

/**
 * @param {{limitFramerate: (most: number) => Promise<void>}} sender
 * @param {AbortSignal} signal ends the watch
 */
export async function limitOnLowBattery(sender, signal) {
  const { connection, getBattery } =
    /** @type {{connection?: EventTarget & {saveData: boolean}, getBattery?: () => Promise<Battery>}} */ (
    /** @type {unknown} */ (navigator));
  // Frames of another origin may not read the battery.
  const battery = await Promise.resolve(getBattery?.call(navigator)).catch(() => undefined);
  if (signal.aborted) return;
  let sparing = false;
  const update = () => {
    const spare = connection?.saveData === true || (battery !== undefined && !battery.charging && battery.level <= LOW);
    if (spare === sparing) return;
    sparing = spare;
    // a browser that cannot limit it sends as before
    sender.limitFramerate(spare ? FRAMERATE : Infinity).catch(() => {});
  };
  battery?.addEventListener('levelchange', update, { signal });
  battery?.addEventListener('chargingchange', update, { signal });
  connection?.addEventListener('change', update, { signal });
  update();
}
