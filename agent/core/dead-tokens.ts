import type { State } from './state.ts';

/** Enough for hours of starts that arrive late; a token that fell out still needs a nonce that is alive. */
const MOST_DEAD_TOKENS = 512;

export const isDead = (state: State, token: number): boolean =>
  length(filter(state.dead, (dead) => dead === token)) > 0;

/** From now on this token starts nothing. The oldest is forgotten when there are too many. */
export const bury = (state: State, token: number): void => {
  if (isDead(state, token)) return;
  push(state.dead, token);
  if (length(state.dead) > MOST_DEAD_TOKENS) state.dead = slice(state.dead, 1);
};
