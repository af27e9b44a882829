import { endRun, giveUp } from './ending.ts';
import { findDeck } from './engagement.ts';
import type { Ending } from './events.ts';
import { ask } from './lease.ts';
import { clearDeck } from './on-deck.ts';
import type { Run } from './state/run.ts';
import type { Step } from './state/slot-state.ts';

const tellAgent = ({ out }: Step, { request }: Run, reason: string): void => {
  out.push({ type: 'cancel', device: request.device, run: request.run, reason });
};

/** Ends a run that nobody has sent a start for; true when it was one. */
const endUnstarted = (step: Step, run: Run, ending: Extract<Ending, { how: 'skipped' | 'cancelled' }>): boolean => {
  if (run.state === 'asked' || run.state === 'ready') {
    const seat = findDeck(run.device, run.request.run);
    if (seat !== null) clearDeck(step, seat.server, seat.deck);
    tellAgent(step, run, ending.reason);
  } else if (run.state !== 'waiting' && run.state !== 'held') return false;
  endRun(step, run, ending);
  return true;
};

/** Ends a run wherever it is. One that may be running keeps its slot until its agent says that the token is dead. */
export const cancelRun = (step: Step, name: string, reason: string): void => {
  const { state, out } = step;
  const run = state.runs.get(name);
  if (run === undefined || endUnstarted(step, run, { how: 'cancelled', reason })) return;
  giveUp(state, run, 'stopping');
  tellAgent(step, run, reason);
  out.push({ type: 'ended', run: name, ending: { how: 'cancelled', reason } });
  for (const server of run.device.engaged) {
    const { lease, on_deck, found } = server;
    if (lease?.run === run) {
      lease.over = { cancel: reason };
      ask(step, server, lease);
    } else for (const deck of [on_deck, ...found]) if (deck?.run === run) deck.over = { cancel: reason };
  }
};

/** Ends a run that is not to be tried; one that has a slot, or may have one, goes on. */
export const skipRun = (step: Step, name: string, reason: string): void => {
  const run = step.state.runs.get(name);
  if (run !== undefined) endUnstarted(step, run, { how: 'skipped', reason });
};
