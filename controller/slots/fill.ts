import { bestSeat, goesBefore, seatFor, whoIsNext } from './choice.ts';
import { serverList } from './lanes.ts';
import { moveDeck, putOnDeck } from './on-deck.ts';
import { slotLengthMs } from './plan-length.ts';
import { expectedWait, fitsBefore, noteSeat } from './seats.ts';
import { hasRoom } from './servers.ts';
import type { OnDeck } from './state/hold.ts';
import type { Lane } from './state/lane.ts';
import type { Run } from './state/run.ts';
import type { Server } from './state/server.ts';
import type { Step } from './state/slot-state.ts';
import { mayMove, uplinkGroup } from './uplink-groups.ts';

/** A run on deck that would wait longer than this goes to an idle server instead: preparing it anew takes less. */
const WORTH_MOVING_MS = 3000;

const seat = (step: Step, server: Server, run: Run): void => {
  putOnDeck(step, server, run);
  noteSeat(server, step.now);
};

/** Gives the seat, as long as it is open, to who is next there. */
const fillSeat = (step: Step, server: Server): void => {
  const { state, now } = step;
  while (server.open) {
    const run = whoIsNext(state, server, now);
    if (run === null) return;
    seat(step, bestSeat(state, run, server, now), run);
  }
};

/** Somebody's turn has come: open seats of its list are given away, also to others who are next there. */
const fillFrom = (step: Step, lane: Lane): void => {
  const { now } = step;
  for (let server = seatFor(lane, now); server !== null; server = seatFor(lane, now)) {
    fillSeat(step, server);
  }
};

const isIdle = (server: Server): boolean =>
  server.state === 'idle' && server.on_deck === null && !server.gone && hasRoom(server);

/** Whether the idle server should have the run that is on deck elsewhere. */
const mayTakeOver = (step: Step, idle: Server, from: Server, deck: OnDeck): boolean =>
  expectedWait(from, step.now) > WORTH_MOVING_MS &&
  fitsBefore(idle, slotLengthMs(deck.lease_ms), step.now) &&
  mayMove(uplinkGroup(step.state, deck.run.request.uplink_group));

/** Where the run waits on deck that the idle server should have; null when there is none. */
const whereFrom = (step: Step, idle: Server): { from: Server; deck: OnDeck } | null => {
  let best: { from: Server; deck: OnDeck } | null = null;
  for (const { decks } of idle.lists) {
    for (const [from, deck] of decks) {
      if (!mayTakeOver(step, idle, from, deck)) continue;
      if (best === null || goesBefore(idle, deck.run, best.deck.run)) best = { from, deck };
    }
  }
  return best;
};

/** The idle server that should have the run that is on deck here; null when there is none. */
const whereTo = (step: Step, from: Server, deck: OnDeck): Server | null => {
  if (deck.recovered || expectedWait(from, step.now) <= WORTH_MOVING_MS) return null;
  for (const idle of serverList(step.state, deck.run.request.servers).open) {
    if (isIdle(idle) && mayTakeOver(step, idle, from, deck)) return idle;
  }
  return null;
};

const move = (step: Step, from: Server, deck: OnDeck, to: Server): void => {
  moveDeck(step, from, deck, to);
  noteSeat(from, step.now);
  noteSeat(to, step.now);
  fillSeat(step, from);
};

/** A server that nobody else wants takes over who would wait long on deck elsewhere. It can start at once, so nobody is moved to and fro. */
const takeOver = (step: Step, server: Server): void => {
  const deck = server.on_deck;
  if (deck !== null) {
    const to = whereTo(step, server, deck);
    if (to !== null) move(step, server, deck, to);
  } else if (isIdle(server)) {
    const found = whereFrom(step, server);
    if (found !== null) move(step, found.from, found.deck, server);
  }
};

/** Gives away every open seat that somebody may use. Only what this step has touched or woken can be one. */
export const fillSeats = (step: Step): void => {
  const { state, now } = step;
  for (const server of state.touched) noteSeat(server, now);
  if (!state.in_charge) return;
  for (const server of state.touched) fillSeat(step, server);
  for (const lane of state.woken) fillFrom(step, lane);
  for (const server of state.touched) takeOver(step, server);
};
