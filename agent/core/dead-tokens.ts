import type { State } from './state.ts';

/** Enough for hours of starts that arrive late; a token that fell out still needs a nonce that is alive. */
const MOST_DEAD_TOKENS = 512;

/** Another controller, or the same with a new store, counts its tokens from 1 again: only with its run a token says which lease it is. */
const nameOf = (run: string, token: number): string => `${run}/${token}`;

export const isDead = (state: State, run: string, token: number): boolean =>
  length(filter(state.dead, (dead) => dead === nameOf(run, token))) > 0;

/** From now on this token starts nothing. The oldest is forgotten when there are too many. */
export const bury = (state: State, run: string, token: number): void => {
  if (isDead(state, run, token)) return;
  push(state.dead, nameOf(run, token));
  if (length(state.dead) > MOST_DEAD_TOKENS) state.dead = slice(state.dead, 1);
};
