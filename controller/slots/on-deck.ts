import type { TestPlan } from '../../broker/contract/messages.ts';
import {
  LEASE_SLACK_MS,
  PREPARE_REPEAT_MS,
  PREPARE_TIMEOUT_MS,
  READY_INTERVAL_MS,
  START_WINDOW_MS,
  testLimitMs,
} from '../../broker/contract/numbers.ts';
import type { LeaseRow } from './events.ts';
import { dequeue, enqueue, inOrder, setBack } from './queue.ts';
import {
  disengage,
  engage,
  type OnDeck,
  PREPARE_LEAD_MS,
  type Ready,
  type Server,
  type SlotState,
  type Step,
  serversOf,
  type Waiting,
} from './state.ts';

/** A ready older than this has missed its repetition: the device is asked again. */
const READY_STALE_MS = START_WINDOW_MS + READY_INTERVAL_MS;

/** How long a run of these tests may hold a slot: rule 3 of the lease protocol. */
export const leaseMs = (tests: readonly TestPlan[]): number =>
  tests.reduce((sum, test) => sum + testLimitMs(test.duration_s, test.omit_s), LEASE_SLACK_MS);

/** The lease of an on-deck run as it goes to disk. */
export const deckRow = (server: Server, deck: OnDeck, { nonce, boot }: Ready, granted: boolean): LeaseRow => {
  const { request, token, lease_ms } = deck;
  const { run, device, tests } = request;
  return { token, run, device, server: server.server, nonce, boot, lease_ms, tests, granted };
};

const sendPrepare = ({ out, now }: Step, server: Server, deck: OnDeck): void => {
  deck.prepare_sent_at = now;
  const { run, device, tests, max_cross_traffic } = deck.request;
  const { lease_ms } = deck;
  out.push({ type: 'prepare', device, run, server: server.server, tests, lease_ms, max_cross_traffic });
};

const putOnDeck = (step: Step, server: Server, request: Waiting): void => {
  const { state, now, out } = step;
  dequeue(state, request);
  state.last_token += 1;
  const deck: OnDeck = {
    request,
    token: state.last_token,
    lease_ms: leaseMs(request.tests),
    asked_at: now,
    prepare_sent_at: now,
    ready: null,
    recovered: false,
    over: null,
  };
  server.on_deck = deck;
  engage(state, request.device, server);
  out.push({ type: 'phase', run: request.run, phase: 'on-deck', server: server.server });
  sendPrepare(step, server, deck);
};

/** Takes the run off the deck; its token was never sent and is dead. The caller decides what becomes of the run. */
export const clearDeck = ({ state, out }: Step, server: Server, deck: OnDeck): Waiting => {
  server.on_deck = null;
  disengage(state, deck.request.device, server);
  if (deck.ready !== null) out.push({ type: 'drop-lease', token: deck.token });
  return deck.request;
};

/** The device went away or restarted: its run waits for its turn again. */
export const unseat = (step: Step, server: Server, deck: OnDeck): void => {
  const request = clearDeck(step, server, deck);
  enqueue(step, { ...request, since: step.now });
};

/** A prepared device has a fresh nonce: the lease goes to disk with it, before the slot is free. */
export const noteReady = (step: Step, server: Server, deck: OnDeck, nonce: string, boot: string): void => {
  deck.ready = { nonce, boot, heard_at: step.now };
  step.out.push({ type: 'save-lease', lease: deckRow(server, deck, deck.ready, false) });
};

/** The seat that this run of the device has, with its server. */
export const findDeck = (state: SlotState, device: string, run: string): { server: Server; deck: OnDeck } | null => {
  for (const server of serversOf(state, device)) {
    const deck = server.on_deck;
    if (deck?.request.run === run && deck.request.device === device) return { server, deck };
  }
  return null;
};

/** When the server is expected to take another run; -Infinity when it is idle. */
const expectedFree = (server: Server): number => {
  if (server.quarantine !== null) return server.quarantine.until;
  if (server.lease === null) return Number.NEGATIVE_INFINITY;
  const { granted_at, row } = server.lease;
  return granted_at + row.tests.reduce((sum, test) => sum + 1000 * (test.duration_s + test.omit_s), 0);
};

const seatIsOpen = (server: Server, now: number): boolean =>
  !server.gone &&
  server.on_deck === null &&
  (server.quarantine === null || server.quarantine.until - now <= PREPARE_LEAD_MS);

/**
 * Whether the device's uplink group would have room on this server, counting who is on deck and not who leaves.
 * Who has a seat has room: a grant need not look again.
 */
const uplinkWouldFit = (state: SlotState, request: Waiting, server: Server): boolean => {
  if (request.uplink_group === null) return true;
  let taken = 0;
  for (const other of state.servers.values()) {
    if (other !== server && other.lease?.request.uplink_group === request.uplink_group) taken += 1;
    if (other.on_deck?.request.uplink_group === request.uplink_group) taken += 1;
  }
  return taken < (state.uplink_groups.get(request.uplink_group)?.capacity ?? 1);
};

/** Gives each open seat to the first run in line that may use it; a run takes its server that is free soonest. */
export const fillSeats = (step: Step): void => {
  const { state, now } = step;
  if (!state.in_charge) return;
  const open = new Set([...state.servers.values()].filter((server) => seatIsOpen(server, now)));
  for (const request of inOrder(state)) {
    if (open.size === 0) return;
    if (request.not_before > now || state.engaged.has(request.device)) continue;
    if (state.presence.get(request.device)?.online !== true) continue;
    let best: Server | null = null;
    for (const name of request.servers) {
      const server = state.servers.get(name);
      if (server === undefined || !open.has(server) || !uplinkWouldFit(state, request, server)) continue;
      if (best === null || expectedFree(server) < expectedFree(best)) best = server;
    }
    if (best === null) continue;
    open.delete(best);
    putOnDeck(step, best, request);
  }
};

/** Asks again who has not answered, and puts aside who does not answer at all or whose window has closed. */
export const tendDeck = (step: Step, server: Server, deck: OnDeck): void => {
  const { now, out } = step;
  if (deck.recovered) return;
  if (now >= deck.request.window_end) {
    const { run, device } = clearDeck(step, server, deck);
    out.push({ type: 'cancel', device, run, reason: 'the window closed' });
    out.push({ type: 'ended', run, ending: { how: 'missed', reason: 'window-closed' } });
    return;
  }
  if (deck.ready !== null) {
    if (now < deck.ready.heard_at + READY_STALE_MS) return;
    out.push({ type: 'drop-lease', token: deck.token });
    deck.ready = null;
    deck.asked_at = now;
    sendPrepare(step, server, deck);
    return;
  }
  if (now >= deck.asked_at + PREPARE_TIMEOUT_MS) {
    const request = clearDeck(step, server, deck);
    out.push({ type: 'cancel', device: request.device, run: request.run, reason: 'no answer to prepare' });
    setBack(step, request, 'device-silent');
  } else if (now >= deck.prepare_sent_at + PREPARE_REPEAT_MS) {
    sendPrepare(step, server, deck);
  }
};

/** When the deck next needs a look by itself. */
export const deckWake = (deck: OnDeck): number => {
  if (deck.recovered) return Number.POSITIVE_INFINITY;
  const next =
    deck.ready === null
      ? Math.min(deck.asked_at + PREPARE_TIMEOUT_MS, deck.prepare_sent_at + PREPARE_REPEAT_MS)
      : deck.ready.heard_at + READY_STALE_MS;
  return Math.min(next, deck.request.window_end);
};
