import { without } from './devices.ts';
import { placeRunsOf } from './eligibility.ts';
import type { Lease, OnDeck, Run, Server, SlotState, Step } from './state.ts';

/** The run's device is on deck or holds a lease: it has one run at a time, so its others wait. */
export const engage = (step: Step, { device }: Run, server: Server): void => {
  device.engaged = [...device.engaged, server];
  placeRunsOf(step, device);
};

export const disengage = (step: Step, { device }: Run, server: Server): void => {
  device.engaged = without(device.engaged, server);
  placeRunsOf(step, device);
};

/** Where the device is on deck or holds a lease. */
export const serversOf = (state: SlotState, device: string): readonly Server[] =>
  state.devices.get(device)?.engaged ?? [];

/** The seat that this run of the device has, or a lease of it that was found on disk and waits for its turn, with its server. */
export const findDeck = (state: SlotState, device: string, run: string): { server: Server; deck: OnDeck } | null => {
  const isIts = ({ run: { request } }: OnDeck) => request.run === run && request.device === device;
  for (const server of serversOf(state, device)) {
    const { on_deck, found } = server;
    const deck = on_deck !== null && isIts(on_deck) ? on_deck : found.find(isIts);
    if (deck !== undefined) return { server, deck };
  }
  return null;
};

/** The lease of this run with this token that was found on disk and was not asked yet, with its server. */
export const findFound = (
  state: SlotState,
  device: string,
  run: string,
  token: number,
): { server: Server; deck: OnDeck } | null => {
  for (const server of serversOf(state, device)) {
    const { on_deck, found } = server;
    if (on_deck?.recovered !== true) continue;
    for (const deck of [on_deck, ...found]) {
      const { request } = deck.run;
      if (deck.token === token && request.run === run && request.device === device) return { server, deck };
    }
  }
  return null;
};

/**
 * The lease of this run that holds a slot with this token for this device, with its server. The token alone does not say which lease it is:
 * another controller, or the same with a new store, counts its tokens from 1 again.
 */
export const findLease = (
  state: SlotState,
  device: string,
  run: string,
  token: number,
): { server: Server; lease: Lease } | null => {
  for (const server of serversOf(state, device)) {
    const { lease } = server;
    const row = lease?.row;
    if (lease !== null && row?.token === token && row.run === run && row.device === device) return { server, lease };
  }
  return null;
};
