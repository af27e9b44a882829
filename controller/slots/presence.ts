import type { Presence, SlotState } from './state.ts';

/** A replaced boot is not listened to for this long, longer than any message of it can be in flight: a keepalive and a half. */
const REPLACED_FOR_MS = 120_000;

export type Sighting = 'same' | 'new-boot' | 'stale';

/**
 * Notes that an agent's boot was heard of. Boots have no order, so what comes late from one that was replaced is stale: else it would
 * replace the living one. Only a last will can be later than that, and the will of another boot says nothing about this one.
 * A boot that still speaks after REPLACED_FOR_MS lives: the other one's word was the late one.
 */
export const sight = (state: SlotState, device: string, boot: string, online: boolean, now: number): Sighting => {
  const known: Presence = state.presence.get(device) ?? { online: false, boot: null, replaced: new Map(), since: now };
  const replaced = new Map([...known.replaced].filter(([, at]) => now - at < REPLACED_FOR_MS));
  const isNew = known.boot !== boot;
  if (replaced.has(boot) || (isNew && known.boot !== null && !online)) return 'stale';
  if (isNew && known.boot !== null) replaced.set(known.boot, now);
  const since = known.online === online ? known.since : now;
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
