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
  const isNew = device.boot !== boot;
  if (isNew && device.boot !== null) {
    const replaced_at = device.replaced?.get(boot) ?? Number.NEGATIVE_INFINITY;
    if (!online || (device.online && step.now - replaced_at < REPLACED_FOR_MS)) return 'stale';
  }
  note(step, device, boot, online);
  return isNew ? 'new-boot' : 'same';
};

/** Notes that this is how the device is to be known from now on. */
export const note = (step: Step, device: Device, boot: string, online: boolean): void => {
  const { now } = step;
  if (device.boot !== null && device.boot !== boot) {
    const replaced = new Map([...(device.replaced ?? [])].filter(([, at]) => now - at < REPLACED_FOR_MS));
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

/** How the slots know a device. */
export interface Sight {
  online: boolean;
  /** As which it spoke last; null when it has not yet. */
  boot: string | null;
  /** It is on deck or holds a lease. */
  engaged: boolean;
  /** As which boots it was granted the leases that it holds, or may hold after a restart. */
  leased_as: string[];
}

/** Null when nothing is known of it. */
export const sightOf = (state: SlotState, name: string): Sight | null => {
  const device = state.devices.get(name);
  if (device === undefined) return null;
  const { online, boot, engaged } = device;
  const leased_as = [...new Set(engaged)].flatMap(({ lease, on_deck, found }) => [
    ...(lease?.run.device === device ? [lease.row.boot] : []),
    ...[on_deck, ...found].flatMap((deck) =>
      deck?.ready && deck.recovered && deck.run.device === device ? [deck.ready.boot] : [],
    ),
  ]);
  return { online, boot, engaged: engaged.length > 0, leased_as };
};

export const isOnline = (state: SlotState, device: string): boolean => state.devices.get(device)?.online === true;
