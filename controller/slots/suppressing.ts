import { type SuppressionScope, suppressesDevice, suppressesServer } from '../schedule/suppression.ts';
import { fillLists } from './configuration.ts';
import { withdraw } from './on-deck.ts';
import { changeServer } from './servers.ts';
import type { Step } from './state/slot-state.ts';

const isSame = (a: readonly SuppressionScope[], b: readonly SuppressionScope[]): boolean =>
  JSON.stringify(a) === JSON.stringify(b);

/**
 * Takes the suppressions into force that hold from now on. Who is on deck and named by one is taken off it; who has a slot keeps it.
 * Every run that waits is looked at, once for each change: people make few.
 */
export const suppress = (step: Step, active: readonly SuppressionScope[]): void => {
  const { state } = step;
  if (isSame(state.suppressions, active)) return;
  state.suppressions = active;
  state.everything = true;
  for (const server of state.servers.values()) {
    changeServer(state, server, { suppressed: suppressesServer(active, server.server) });
  }
  fillLists(state);
  for (const server of state.servers.values()) {
    const deck = server.on_deck;
    if (deck === null || deck.recovered || !suppressesDevice(active, deck.run.request)) continue;
    withdraw(step, server, deck, 'suppressed');
  }
};
