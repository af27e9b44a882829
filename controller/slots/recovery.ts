import type { LeaseRow, RunRequest } from './events.ts';
import { holdSlot } from './lease.ts';
import { emptyServer, engage, type Over, type Server, type SlotState, type Step } from './state.ts';

/** A lease as it was found on disk. `cancelled` says why nobody waits for its run any more; null while somebody does. */
export interface FoundLease {
  row: LeaseRow;
  request: RunRequest;
  cancelled: string | null;
}

/**
 * Takes the leases found on disk after a restart as granted now, in the order of their tokens, and asks their agents.
 * A lease that was on deck may have been started too: it keeps its seat and is asked in its turn.
 */
export const recoverLeases = (step: Step, found: readonly FoundLease[]): void => {
  const { state, now } = step;
  const inOrder = found.toSorted((a, b) => a.row.token - b.row.token);
  const lastOf = new Map(inOrder.map(({ row }) => [row.run, row.token]));
  for (const { row, request, cancelled } of inOrder) {
    const server = findServer(state, row.server);
    engage(state, row.device, server);
    const over = overOf(cancelled, lastOf.get(row.run) === row.token);
    const waiting = { ...request, since: now, setbacks: 0 };
    if (row.granted && server.lease === null) {
      holdSlot(step, server, waiting, row, over);
      continue;
    }
    const { token, lease_ms, nonce, boot } = row;
    const ready = { nonce, boot, heard_at: now };
    const asked = { asked_at: now, prepare_sent_at: now };
    server.on_deck = { request: waiting, token, lease_ms, ...asked, ready, recovered: true, over };
  }
};

/** Of two leases of one run the earlier one was given up, and rested: it has nothing to say about the run. */
const overOf = (cancelled: string | null, isLast: boolean): Over | null => {
  if (!isLast) return { cancel: null };
  return cancelled === null ? null : { cancel: cancelled };
};

/** A server that left the configuration is kept until its leases are settled. */
const findServer = (state: SlotState, name: string): Server => {
  const server = state.servers.get(name) ?? emptyServer({ server: name, host_group: null }, true);
  state.servers.set(name, server);
  return server;
};

/** Forgets the servers that left the configuration and hold nothing any more. */
export const forgetGone = (state: SlotState): void => {
  for (const { server, gone, lease, quarantine, on_deck } of state.servers.values()) {
    if (gone && lease === null && quarantine === null && on_deck === null) state.servers.delete(server);
  }
};
