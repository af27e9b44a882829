import { including, without } from './devices.ts';
import { placeRunsOf } from './eligibility.ts';
import type { Lease, OnDeck } from './state/hold.ts';
import type { Device, Run } from './state/run.ts';
import type { Server } from './state/server.ts';
import type { Step } from './state/slot-state.ts';

/** The run's device is on deck or holds a lease: it has one run at a time, so its others wait. */
export const engage = (step: Step, { device }: Run, server: Server): void => {
  step.state.engaged.set(device.device, device);
  device.engaged = including(device.engaged, server);
  placeRunsOf(step, device);
};

export const disengage = (step: Step, { device }: Run, server: Server): void => {
  device.engaged = without(device.engaged, server);
  if (device.engaged.length === 0) step.state.engaged.delete(device.device);
  placeRunsOf(step, device);
};

/** The seat that this run of the device has, or a lease of it that was found on disk and waits for its turn, with its server. */
export const findDeck = (device: Device, run: string): { server: Server; deck: OnDeck } | null => {
  const isIts = (deck: OnDeck) => deck.run.device === device && deck.run.request.run === run;
  for (const server of device.engaged) {
    const { on_deck, found } = server;
    const deck = on_deck !== null && isIts(on_deck) ? on_deck : found.find(isIts);
    if (deck !== undefined) return { server, deck };
  }
  return null;
};

/** The lease of this run with this token that was found on disk and was not asked yet, with its server. */
export const findFound = (device: Device, run: string, token: number): { server: Server; deck: OnDeck } | null => {
  for (const server of device.engaged) {
    const { on_deck, found } = server;
    if (on_deck?.recovered !== true) continue;
    for (const deck of [on_deck, ...found]) {
      if (deck.token === token && deck.run.device === device && deck.run.request.run === run) return { server, deck };
    }
  }
  return null;
};

/**
 * The lease of this run that holds a slot with this token for this device, with its server. The token alone does not say which lease it is:
 * another controller, or the same with a new store, counts its tokens from 1 again.
 */
export const findLease = (device: Device, run: string, token: number): { server: Server; lease: Lease } | null => {
  for (const server of device.engaged) {
    const { lease } = server;
    if (lease?.run.device === device && lease.row.token === token && lease.row.run === run) return { server, lease };
  }
  return null;
};
