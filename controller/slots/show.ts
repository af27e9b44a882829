import type { ShownLease, SlotEffect } from './events.ts';
import { restMs } from './plan-length.ts';
import { restsForStranger } from './quarantine.ts';
import type { Lease, Server, Step } from './state.ts';

/** A lease as everybody is told of it at `now`. */
const shownLease = ({ row, deadline }: Lease, now: number): ShownLease => {
  const { device, run, token, tests } = row;
  return { device, run, token, length_ms: deadline - now, rest_ms: restMs(tests) };
};

/** A slot as everybody is told of it. */
export const slotEffect = ({ server, lease, state }: Server, now: number): Extract<SlotEffect, { type: 'slot' }> => ({
  type: 'slot',
  server,
  lease: lease === null ? null : shownLease(lease, now),
  state,
});

export const showSlot = ({ now, out }: Step, server: Server): void => {
  server.shown = server.state;
  out.push(slotEffect(server, now));
};

/**
 * Tells everybody when the server does something else than what they were told last. What the broker remembers of a stranger stays
 * until its rest is over: a restart in between must find it again.
 */
export const showChange = (step: Step, server: Server): void => {
  if (server.state !== server.shown && !restsForStranger(server)) showSlot(step, server);
};
