import type { Presence, SlotState } from './state.ts';

/** A replaced boot is not listened to for this long: longer than its messages are in flight. Only a last will may come later. */
const REPLACED_FOR_MS = 30_000;

export type Sighting = 'same' | 'new-boot' | 'stale';

/**
 * Notes that an agent's boot was heard of. Boots have no order, so what comes late from one that was replaced is stale: else it would
 * replace the living one. A will of another boot than the current one says nothing about the current one. A replaced boot that speaks
 * while the current one is offline, or still after REPLACED_FOR_MS, lives: then it was the other one whose word came late.
 */
export const sight = (state: SlotState, device: string, boot: string, online: boolean, now: number): Sighting => {
  const known: Presence = state.presence.get(device) ?? { online: false, boot: null, replaced: new Map(), since: now };
  const replaced = new Map([...known.replaced].filter(([, at]) => now - at < REPLACED_FOR_MS));
  const isNew = known.boot !== boot;
  if (isNew && known.boot !== null) {
    if (!online || (known.online && replaced.has(boot))) return 'stale';
    replaced.set(known.boot, now);
    replaced.delete(boot);
  }
  const since = known.online === online ? known.since : now;
  if (known.online && !online) state.look_at = now;
  state.presence.set(device, { online, boot, replaced, since });
  return isNew ? 'new-boot' : 'same';
};

/** The broker is out of reach: nobody is known to be online. */
export const forgetPresence = (state: SlotState, now: number): void => {
  for (const presence of state.presence.values()) {
    if (presence.online) presence.since = now;
    presence.online = false;
  }
};
