import type { TestPlan } from '../../broker/contract/messages.ts';
import { DEADLINE_MARGIN_MS, QUARANTINE_S, START_REPEAT_MS, START_WINDOW_MS } from '../../broker/contract/numbers.ts';
import type { LeaseRow, ShownLease } from './events.ts';
import { deckRow } from './on-deck.ts';
import { rest } from './quarantine.ts';
import {
  disengage,
  hostGroupHasRoom,
  type Lease,
  longestTestMs,
  NONCE_FRESH_MS,
  type OnDeck,
  type Over,
  type Ready,
  type Server,
  type SlotState,
  type Step,
  serversOf,
  type Waiting,
} from './state.ts';

/** From `start` sent to the controller's deadline: the latest moment at which the agent can still be running, and a margin. */
export const slotLengthMs = (lease_ms: number): number => START_WINDOW_MS + lease_ms + DEADLINE_MARGIN_MS;

/** Sends the `start`, always the same bytes for one token. */
export const ask = ({ out, now }: Step, lease: Lease): void => {
  lease.start_sent_at = now;
  lease.asking = true;
  const { device, run, token, nonce, server, lease_ms } = lease.row;
  out.push({ type: 'start', device, run, token, nonce, server, lease_ms });
};

/** How long a server rests after a lease of these tests ended uncleanly: rule 6 of the lease protocol. */
export const restMs = (tests: readonly TestPlan[]): number => longestTestMs(tests) + 1000 * QUARANTINE_S;

/** A lease as everybody is told of it at `now`. */
export const shownLease = ({ row, deadline }: Lease, now: number): ShownLease => {
  const { device, run, token, tests } = row;
  return { device, run, token, length_ms: deadline - now, rest_ms: restMs(tests) };
};

/** The server's slot belongs to this lease from now for its full length, whatever was known before. The device is engaged already. */
export const holdSlot = (step: Step, server: Server, request: Waiting, row: LeaseRow, over: Over | null): void => {
  const { now, out } = step;
  const lease: Lease = {
    request,
    row: { ...row, granted: true },
    deadline: now + slotLengthMs(row.lease_ms),
    granted_at: now,
    start_sent_at: now,
    started: false,
    asking: true,
    over,
  };
  server.lease = lease;
  ask(step, lease);
  out.push({ type: 'granted', lease: lease.row });
  out.push({ type: 'slot', server: server.server, lease: shownLease(lease, now) });
  out.push({ type: 'phase', run: row.run, phase: 'starting', server: server.server });
};

const isFresh = (deck: OnDeck, ready: Ready, now: number): boolean =>
  deck.recovered || now - ready.heard_at <= NONCE_FRESH_MS;

/**
 * Grants every free slot whose next run is ready: one `start` is all that is left to do. A recovered lease is only asked, as its nonce is
 * too old by now to start anything: it has counted in its host group all the time, and needs no room there.
 */
export const grantReady = (step: Step): void => {
  const { state, now } = step;
  if (!state.in_charge) return;
  const seated = [...state.servers.values()].flatMap((server) =>
    server.on_deck === null ? [] : [{ server, deck: server.on_deck }],
  );
  seated.sort((a, b) => a.deck.token - b.deck.token);
  for (const { server, deck } of seated) {
    const { ready } = deck;
    if (server.lease !== null || server.quarantine !== null) continue;
    if (ready === null || !isFresh(deck, ready, now)) continue;
    if (!deck.recovered && !hostGroupHasRoom(state, server)) continue;
    server.on_deck = null;
    holdSlot(step, server, deck.request, deckRow(server, deck, ready, true), deck.over);
  }
};

/** The slot is free. `rest_ms` above zero: the end was not clean, and the server rests first. */
export const release = (step: Step, server: Server, lease: Lease, rest_ms: number): void => {
  const { state, out } = step;
  server.lease = null;
  disengage(state, lease.row.device, server);
  if (rest_ms > 0) rest(step, server, rest_ms, lease.row.token);
  else out.push({ type: 'drop-lease', token: lease.row.token });
  out.push({ type: 'slot', server: server.server, lease: null });
};

/** Repeats an unanswered `start`; at the deadline the run is overdue and the server rests. */
export const tendLease = (step: Step, server: Server, lease: Lease): void => {
  const { now, out } = step;
  if (now >= lease.deadline) {
    release(step, server, lease, restMs(lease.row.tests));
    if (lease.over !== null) return;
    out.push({ type: 'ended', run: lease.row.run, ending: { how: 'overdue', reason: 'no-answer-before-deadline' } });
  } else if (lease.asking && now >= lease.start_sent_at + START_REPEAT_MS) {
    const reason = lease.over?.cancel ?? null;
    if (reason !== null) {
      const { device, run } = lease.row;
      out.push({ type: 'cancel', device, run, reason });
    }
    ask(step, lease);
  }
};

/** When the lease next needs a look by itself. */
export const leaseWake = (lease: Lease): number =>
  lease.asking ? Math.min(lease.deadline, lease.start_sent_at + START_REPEAT_MS) : lease.deadline;

/** The lease that holds a slot with this token for this device, with its server. */
export const findLease = (state: SlotState, device: string, token: number): { server: Server; lease: Lease } | null => {
  for (const server of serversOf(state, device)) {
    const { lease } = server;
    if (lease?.row.token === token && lease.row.device === device) return { server, lease };
  }
  return null;
};
