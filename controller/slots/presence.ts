import type { Presence, SlotState } from './state.ts';

/** Replaced boots that are remembered per device: a message of an older one can't be in flight any more. */
const MAX_REPLACED = 16;

export type Sighting = 'same' | 'new-boot' | 'went-offline' | 'stale';

/**
 * Notes that an agent's boot was heard of. A boot that was replaced is never new again: what it says of its presence is stale.
 */
export const sight = (state: SlotState, device: string, boot: string, online: boolean, now: number): Sighting => {
  const known: Presence = state.presence.get(device) ?? { online: false, boot: null, replaced: [], since: now };
  if (known.replaced.includes(boot)) return 'stale';
  const isNew = known.boot !== boot;
  const replaced = isNew && known.boot !== null ? [...known.replaced, known.boot].slice(-MAX_REPLACED) : known.replaced;
  const since = known.online === online ? known.since : now;
  state.presence.set(device, { online, boot, replaced, since });
  if (isNew) return 'new-boot';
  return known.online && !online ? 'went-offline' : 'same';
};

/** The broker is out of reach: nobody is known to be online. */
export const forgetPresence = (state: SlotState, now: number): void => {
  for (const presence of state.presence.values()) {
    if (presence.online) presence.since = now;
    presence.online = false;
  }
};
