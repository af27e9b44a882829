import { mustWait } from './endpoints.ts';
import { engage } from './engagement.ts';
import type { LeaseRow, RunRequest } from './events.ts';
import { holdSlot } from './lease.ts';
import { newRun } from './queue.ts';
import { addServer, changeServer } from './servers.ts';
import type { Over } from './state/hold.ts';
import type { Server } from './state/server.ts';
import type { SlotState, Step } from './state/slot-state.ts';
import { become } from './transitions.ts';
import { takeRoom } from './uplink-room.ts';

/** A lease as it was found on disk. `over`: its run does not wait for it any more, and is handed in for itself when it goes on; else null. */
export interface FoundLease {
  row: LeaseRow;
  request: RunRequest;
  over: Over | null;
}

/**
 * Takes the leases found on disk after a restart as granted now, in the order of their tokens, and asks their agents.
 * A lease that was on deck may have been started too: it keeps its seat and is asked in its turn. There may be more than one of them: rows
 * are dropped after the `start` that follows, and put off while the controller has much to do.
 */
export const recoverLeases = (step: Step, found: readonly FoundLease[]): void => {
  const { state, now } = step;
  const inOrder = found.toSorted((a, b) => a.row.token - b.row.token);
  const lastOf = new Map(inOrder.map(({ row }) => [row.run, row.token]));
  for (const { row, request, over: isOver } of inOrder) {
    const server = findServer(state, row);
    const run = newRun(state, request, now);
    // Of two leases of one run the earlier one was given up, and rested: it has nothing to say about the run.
    const over = lastOf.get(row.run) === row.token ? isOver : { cancel: null };
    if (over === null) state.runs.set(request.run, run);
    else become(run, 'stopping');
    if (row.granted && isUntaken(server) && !mustWait(state, server, row)) {
      holdSlot(step, server, run, row, { over, deck: null });
    } else {
      if (over === null) become(run, 'found');
      const { token, endpoint, lease_ms, tests, nonce, boot } = row;
      const ready = { nonce, boot, heard_at: now };
      const asked = { seated_at: now, asked_at: now, prepare_sent_at: now };
      const deck = { run, token, endpoint, lease_ms, tests, ...asked, ready, saved: true, recovered: true, over };
      changeServer(state, server, server.on_deck === null ? { on_deck: deck } : { found: [...server.found, deck] });
    }
    takeRoom(state, run, server);
    engage(step, run, server);
  }
};

const isUntaken = ({ lease, on_deck }: Server): boolean => lease === null && on_deck === null;

/** A server that left the configuration is kept until its leases are settled. */
const findServer = (state: SlotState, { server, endpoint }: LeaseRow): Server =>
  state.servers.get(server) ?? addServer(state, { server, endpoint, host_group: null, max_bitrate: null }, true);
