import {
  PREPARE_REPEAT_MS,
  PREPARE_TIMEOUT_MS,
  PREPARE_TTL_MS,
  READY_INTERVAL_MS,
  START_WINDOW_MS,
  WAN_LOOK_MS,
} from '../../broker/contract/numbers.ts';
import { withinBitrate } from '../schedule/max-bitrate.ts';
import { whoIsNext } from './choice.ts';
import { endRun, isMaintained, stopWaiting, windowOver } from './ending.ts';
import { disengage, engage } from './engagement.ts';
import type { LeaseRow } from './events.ts';
import { charge } from './fairness.ts';
import { serverList } from './lanes.ts';
import { leaseMs, slotLengthMs } from './plan-length.ts';
import { enqueue, nextSequence, setBack } from './queue.ts';
import { changeServer, hasRoom } from './servers.ts';
import type { Lease, OnDeck, Ready } from './state/hold.ts';
import type { Run } from './state/run.ts';
import type { Server } from './state/server.ts';
import type { SlotState, Step } from './state/slot-state.ts';
import { touch } from './touched.ts';
import { become } from './transitions.ts';
import { giveRoom, takeRoom } from './uplink-room.ts';

/** A ready older than this has missed its repetition: the device is asked again. */
const READY_STALE_MS = START_WINDOW_MS + READY_INTERVAL_MS;

/** While others wait, an idle server is kept for a silent device this long: enough for an agent's own checks. */
const IDLE_PATIENCE_MS = 5000;

/** A device that is ready is reminded this often of what it has prepared, or it would forget it while it waits behind a long run. */
const REMIND_MS = PREPARE_TTL_MS / 2;

/** The lease of an on-deck run as it goes to disk. */
export const deckRow = (server: Server, deck: OnDeck, { nonce, boot }: Ready, granted: boolean): LeaseRow => {
  const { token, endpoint, lease_ms, tests } = deck;
  const { run, device } = deck.run.request;
  return { token, run, device, server: server.server, endpoint, nonce, boot, lease_ms, tests, granted };
};

const sendPrepare = ({ out, now }: Step, server: Server, deck: OnDeck): void => {
  deck.prepare_sent_at = now;
  const { run, device, max_cross_traffic } = deck.run.request;
  const { lease_ms, tests } = deck;
  out.push({ type: 'prepare', device, run, server: server.server, tests, lease_ms, max_cross_traffic });
};

/** The run has the server's seat, with a token of its own, and its device is asked to prepare. */
export const putOnDeck = (step: Step, server: Server, run: Run): void => {
  const { state, now, out } = step;
  const { request } = run;
  stopWaiting(state, run);
  become(run, 'asked');
  state.last_token += 1;
  const deck: OnDeck = {
    run,
    token: state.last_token,
    endpoint: server.address,
    lease_ms: leaseMs(request.tests),
    tests: withinBitrate(request.tests, server.max_bitrate),
    seated_at: now,
    asked_at: now,
    prepare_sent_at: now,
    ready: null,
    saved: false,
    recovered: false,
    over: null,
  };
  changeServer(state, server, { on_deck: deck });
  serverList(state, request.servers).decks.set(server, deck);
  takeRoom(state, run, server);
  engage(step, run, server);
  out.push({ type: 'phase', run: request.run, phase: 'on-deck', server: server.server });
  sendPrepare(step, server, deck);
};

/** Of several leases found on disk one leaves, and the next one has the seat. */
const withoutFound = ({ on_deck, found }: Server, deck: OnDeck): Pick<Server, 'on_deck' | 'found'> => {
  const [next = null, ...others] = [on_deck, ...found].flatMap((one) => (one === null || one === deck ? [] : [one]));
  return { on_deck: next, found: others };
};

/** The seat is empty again, but for more leases found on disk: given up, or its run has the slot. */
export const emptySeat = (state: SlotState, server: Server, deck: OnDeck, granted?: { lease: Lease }): void => {
  const seat = server.found.length === 0 ? { on_deck: null } : withoutFound(server, deck);
  changeServer(state, server, { ...granted, ...seat });
  serverList(state, deck.run.request.servers).decks.delete(server);
};

/** Takes the run off the deck; its token was never sent and is dead. The caller decides what becomes of the run. */
export const clearDeck = (step: Step, server: Server, deck: OnDeck): Run => {
  const { state, now, out } = step;
  const { run } = deck;
  emptySeat(state, server, deck);
  // What the server lost by waiting for it counts as if it had been used: unready devices are at the cost of their organization.
  if (!deck.recovered && server.state === 'idle' && hasRoom(server)) {
    const { organization, priority } = run.request;
    charge(server.accounts, organization, now - Math.max(deck.seated_at, server.free_since), priority);
  }
  giveRoom(state, run, server);
  disengage(step, run, server);
  if (deck.saved) out.push({ type: 'drop-lease', token: deck.token });
  return run;
};

/** The device went away or restarted: its run waits for its turn again, behind the others. */
export const unseat = (step: Step, server: Server, deck: OnDeck): void => {
  const run = clearDeck(step, server, deck);
  run.since = step.now;
  run.sequence = nextSequence(step.state);
  enqueue(step, run);
};

/** The seat is taken from the run through no fault of its device: it keeps its place in the line. */
export const withdraw = (step: Step, server: Server, deck: OnDeck, reason: string): void => {
  const run = clearDeck(step, server, deck);
  step.out.push({ type: 'cancel', device: run.request.device, run: run.request.run, reason });
  run.since = step.now;
  enqueue(step, run);
};

/** The run has the seat of another server instead. Its device replaces what it has prepared when it is asked anew. */
export const moveDeck = (step: Step, from: Server, deck: OnDeck, to: Server): void => {
  const run = clearDeck(step, from, deck);
  become(run, 'waiting');
  putOnDeck(step, to, run);
};

/**
 * A prepared device has a fresh nonce: the lease goes to disk with it, before the slot is free. Said again while another run has the slot, it
 * only puts off the next look, and an alarm may ring too early.
 */
export const noteReady = (step: Step, server: Server, deck: OnDeck, nonce: string, boot: string): void => {
  if (deck.ready === null || server.lease === null) touch(step.state, server);
  if (deck.ready === null) become(deck.run, 'ready');
  deck.ready = { nonce, boot, heard_at: step.now };
  deck.saved = true;
  step.out.push({ type: 'save-lease', lease: deckRow(server, deck, deck.ready, false) });
};

/** Why the server is not for this run any more; null when it is. */
const whyNot = (server: Server, deck: OnDeck, now: number): string | null => {
  if (server.gone) return 'the server is not in use any more';
  if (server.address !== deck.endpoint) return 'the server has another address';
  if (server.suppressed) return 'the server is suppressed';
  return isMaintained(server, slotLengthMs(deck.lease_ms), now) ? 'the server goes into maintenance' : null;
};

/** How long the device may take to answer. */
const patience = (step: Step, server: Server, { run }: OnDeck): number => {
  const isWanted = server.state === 'idle' && whoIsNext(step.state, server, step.now) !== null;
  if (!isWanted) return PREPARE_TIMEOUT_MS;
  return run.request.max_cross_traffic === null ? IDLE_PATIENCE_MS : IDLE_PATIENCE_MS + WAN_LOOK_MS;
};

/** The device does not answer: its seat is for others. */
const putAside = (step: Step, server: Server, deck: OnDeck): void => {
  const { run, device } = deck.run.request;
  clearDeck(step, server, deck);
  step.out.push({ type: 'cancel', device, run, reason: 'no answer to prepare' });
  setBack(step, deck.run, 'device-silent');
};

/**
 * It was ready, and has not said so for too long: it is replaced when there is somebody else, and asked again when there is not. Its lease stays
 * on disk: a token whose lease was dropped is dead, and never saved again.
 */
const tendReady = (step: Step, server: Server, deck: OnDeck, { heard_at }: Ready): void => {
  const { state, now } = step;
  if (now < heard_at + READY_STALE_MS) {
    if (now >= deck.prepare_sent_at + REMIND_MS) sendPrepare(step, server, deck);
    return;
  }
  if (whoIsNext(state, server, now) !== null) {
    putAside(step, server, deck);
    return;
  }
  become(deck.run, 'asked');
  deck.ready = null;
  deck.asked_at = now;
  sendPrepare(step, server, deck);
};

/** Asks again who has not answered, and puts aside who does not answer at all or whose window has closed. */
export const tendDeck = (step: Step, server: Server, deck: OnDeck): void => {
  const { now, out } = step;
  if (deck.recovered) return;
  const { run, device, window_end } = deck.run.request;
  const why_not = whyNot(server, deck, now);
  if (now >= window_end) {
    clearDeck(step, server, deck);
    out.push({ type: 'cancel', device, run, reason: 'the window closed' });
    endRun(step, deck.run, windowOver(step, deck.run));
  } else if (why_not !== null) {
    withdraw(step, server, deck, why_not);
  } else if (deck.ready !== null) {
    tendReady(step, server, deck, deck.ready);
  } else if (now >= deck.asked_at + patience(step, server, deck)) {
    putAside(step, server, deck);
  } else if (now >= deck.prepare_sent_at + PREPARE_REPEAT_MS) {
    sendPrepare(step, server, deck);
  }
};

/** When the deck next needs a look by itself. */
export const deckWake = ({ maintenance_at }: Server, deck: OnDeck): number => {
  if (deck.recovered) return Number.POSITIVE_INFINITY;
  const next =
    deck.ready === null
      ? Math.min(deck.asked_at + PREPARE_TIMEOUT_MS, deck.prepare_sent_at + PREPARE_REPEAT_MS)
      : Math.min(deck.ready.heard_at + READY_STALE_MS, deck.prepare_sent_at + REMIND_MS);
  return Math.min(next, deck.run.request.window_end, maintenance_at - slotLengthMs(deck.lease_ms));
};
