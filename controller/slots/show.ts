import type { ShownLease, SlotEffect } from './events.ts';
import { restMs } from './plan-length.ts';
import { restsForStranger } from './quarantine.ts';
import type { Lease } from './state/hold.ts';
import type { Quarantine, Server } from './state/server.ts';
import type { Step } from './state/slot-state.ts';

/** A lease as everybody is told of it at `now`. */
const shownLease = ({ row, deadline }: Lease, now: number): ShownLease => {
  const { device, run, token, tests } = row;
  return { device, run, token, length_ms: deadline - now, rest_ms: restMs(tests) };
};

/** While a server rests, its last lease is shown on: whoever takes charge of the broker meanwhile lets it rest, too. */
const shownRest = ({ row, until }: Quarantine, now: number): ShownLease | null => {
  if (row === null) return null;
  const { device, run, token } = row;
  return { device, run, token, length_ms: until - now, rest_ms: 0 };
};

const shown = ({ lease, quarantine }: Server, now: number): ShownLease | null => {
  if (lease !== null) return shownLease(lease, now);
  return quarantine === null ? null : shownRest(quarantine, now);
};

/** A slot as everybody is told of it. */
export const slotEffect = (server: Server, now: number): Extract<SlotEffect, { type: 'slot' }> => ({
  type: 'slot',
  server: server.server,
  lease: shown(server, now),
  state: server.state,
});

/**
 * Tells everybody of a slot. Out of charge nothing is told: what the broker remembers is another controller's. What it remembers of a stranger
 * stays until its rest is over: a restart in between must find it again.
 */
export const showSlot = ({ state, now, out }: Step, server: Server): void => {
  if (!state.in_charge || restsForStranger(server)) return;
  server.shown = server.state;
  out.push(slotEffect(server, now));
};

/** Tells everybody when the server does something else than what they were told last. */
export const showChange = (step: Step, server: Server): void => {
  if (server.state !== server.shown) showSlot(step, server);
};
