import { placeRunsOf } from './eligibility.ts';
import type { Device } from './state/run.ts';
import type { SlotState, Step } from './state/slot-state.ts';

/** A replaced boot is not listened to for this long: longer than its messages are in flight. Only a last will may come later. */
const REPLACED_FOR_MS = 30_000;

export type Sighting = 'same' | 'new-boot' | 'stale';

/**
 * Notes that an agent's boot was heard of. Boots have no order, so what comes late from one that was replaced is stale: else it would
 * replace the living one. A will of another boot than the current one says nothing about the current one. A replaced boot that speaks
 * while the current one is offline, or still after REPLACED_FOR_MS, lives: then it was the other one whose word came late.
 */
export const sight = (step: Step, device: Device, boot: string, online: boolean): Sighting => {
  const { now } = step;
  const isNew = device.boot !== boot;
  if (isNew && device.boot !== null) {
    const replaced = new Map([...(device.replaced ?? [])].filter(([, at]) => now - at < REPLACED_FOR_MS));
    if (!online || (device.online && replaced.has(boot))) return 'stale';
    replaced.set(device.boot, now);
    replaced.delete(boot);
    device.replaced = replaced;
  }
  device.boot = boot;
  if (device.online !== online || device.since === Number.NEGATIVE_INFINITY) {
    device.online = online;
    device.since = now;
    placeRunsOf(step, device);
  }
  return isNew ? 'new-boot' : 'same';
};

/** The broker is out of reach: nobody is known to be online. */
export const forgetPresence = (step: Step): void => {
  for (const device of step.state.devices.values()) {
    if (!device.online) continue;
    device.online = false;
    device.since = step.now;
    placeRunsOf(step, device);
  }
};

export const isOnline = (state: SlotState, device: string): boolean => state.devices.get(device)?.online === true;
