import { START_REPEAT_MS, START_WINDOW_MS } from '../../broker/contract/numbers.ts';
import { endRun, giveUp } from './ending.ts';
import { mustWait } from './endpoints.ts';
import { disengage } from './engagement.ts';
import type { LeaseRow } from './events.ts';
import { charge, settle } from './fairness.ts';
import { deckRow, emptySeat } from './on-deck.ts';
import { expectedMs, restMs, slotLengthMs } from './plan-length.ts';
import { rest } from './quarantine.ts';
import { changeServer, hasRoom } from './servers.ts';
import { showSlot } from './show.ts';
import type { Lease, OnDeck, Over, Ready } from './state/hold.ts';
import type { Run } from './state/run.ts';
import type { Server } from './state/server.ts';
import type { SlotState, Step } from './state/slot-state.ts';
import { touch } from './touched.ts';
import { become } from './transitions.ts';
import { giveRoom } from './uplink-room.ts';

/** A nonce is used for a `start` only while it is this young: the rest of START_WINDOW_MS is for the way to the agent. */
const NONCE_FRESH_MS = START_WINDOW_MS - 1000;

/** Sends the `start`, always the same bytes for one token. */
export const ask = ({ out, now, state }: Step, server: Server, lease: Lease): void => {
  lease.start_sent_at = now;
  lease.asking = true;
  touch(state, server);
  const { device, run, token, nonce, boot, server: name, endpoint, lease_ms } = lease.row;
  out.push({ type: 'start', device, run, token, nonce, boot, server: name, endpoint, lease_ms });
};

/** The server's slot belongs to this lease from now for its full length, whatever was known before. The device is engaged already. */
export const holdSlot = (
  step: Step,
  server: Server,
  run: Run,
  row: LeaseRow,
  { over, deck }: { over: Over | null; deck: OnDeck | null },
): void => {
  const { state, now, out } = step;
  const lease: Lease = {
    run,
    row: { ...row, granted: true },
    expected_ms: expectedMs(row.tests),
    deadline: now + slotLengthMs(row.lease_ms),
    granted_at: now,
    start_sent_at: now,
    started: false,
    asking: true,
    over,
  };
  if (over === null) become(run, 'starting');
  if (deck === null) changeServer(state, server, { lease });
  else emptySeat(state, server, deck, { lease });
  ask(step, server, lease);
  out.push({ type: 'granted', lease: lease.row });
  showSlot(step, server);
  out.push({ type: 'phase', run: row.run, phase: 'starting', server: server.server });
};

const isFresh = (deck: OnDeck, ready: Ready, now: number): boolean =>
  deck.recovered || now - ready.heard_at <= NONCE_FRESH_MS;

/** Whether the slot is free for this run. A recovered one has counted in its host group all the time, and is asked whatever is planned. */
const isFree = (state: SlotState, server: Server, deck: OnDeck): boolean =>
  deck.recovered
    ? server.lease === null && server.quarantine === null && !mustWait(state, server, deck)
    : server.state === 'idle' && hasRoom(server);

/**
 * Grants every free slot whose next run is ready: one `start` is all that is left to do. A recovered lease is only asked, as its nonce is
 * too old by now to start anything.
 */
export const grantReady = (step: Step): void => {
  const { state, now } = step;
  if (!state.in_charge) return;
  const seated: { server: Server; deck: OnDeck; ready: Ready }[] = [];
  for (const server of state.touched) {
    const deck = server.on_deck;
    if (deck !== null && deck.ready !== null) seated.push({ server, deck, ready: deck.ready });
  }
  seated.sort((a, b) => a.deck.token - b.deck.token);
  for (const { server, deck, ready } of seated) {
    if (!isFree(state, server, deck) || !isFresh(deck, ready, now)) continue;
    const { organization, priority } = deck.run.request;
    if (!deck.recovered) charge(server.accounts, organization, expectedMs(deck.tests), priority);
    holdSlot(step, server, deck.run, deckRow(server, deck, ready, true), { over: deck.over, deck });
  }
};

/** The slot is free. `rest_ms` above zero: the end was not clean, and the server rests first. */
export const release = (step: Step, server: Server, lease: Lease, rest_ms: number): void => {
  const { state, now, out } = step;
  changeServer(
    state,
    server,
    rest_ms > 0 ? { lease: null, quarantine: rest(step, server, rest_ms, lease) } : { lease: null },
  );
  server.free_since = now;
  giveRoom(state, lease.run, server);
  disengage(step, lease.run, server);
  if (rest_ms === 0) out.push({ type: 'drop-lease', token: lease.row.token });
  if (lease.over !== null) giveUp(state, lease.run, 'ended');
  showSlot(step, server);
  settleAccount(server, lease, now - lease.granted_at);
};

/**
 * At the grant the time that was expected is charged; what it really was is settled here, and the rest that it brought about when that is over
 * (quarantine.ts). Else who breaks off would have more of the server than the others.
 */
const settleAccount = ({ accounts }: Server, { run, expected_ms }: Lease, ms: number): void => {
  const { organization, priority } = run.request;
  settle(accounts, organization, ms - expected_ms, priority);
};

/** Repeats an unanswered `start`; at the deadline the run is overdue and the server rests. */
export const tendLease = (step: Step, server: Server, lease: Lease): void => {
  const { now, out } = step;
  if (now >= lease.deadline) {
    release(step, server, lease, restMs(lease.row.tests));
    if (lease.over === null) endRun(step, lease.run, { how: 'overdue', reason: 'no-answer-before-deadline' });
  } else if (lease.asking && now >= lease.start_sent_at + START_REPEAT_MS) {
    const reason = lease.over?.cancel ?? null;
    if (reason !== null) {
      const { device, run } = lease.row;
      out.push({ type: 'cancel', device, run, reason });
    }
    ask(step, server, lease);
  }
};

/** When the lease next needs a look by itself. */
export const leaseWake = (lease: Lease): number =>
  lease.asking ? Math.min(lease.deadline, lease.start_sent_at + START_REPEAT_MS) : lease.deadline;
