import type { SubjectStates } from './state.ts';

/** So many of one grant are remembered: more than one run can have. */
const MAX_SEEN = 256;

export type Freshness =
  | { reason: 'late' | 'repeated' }
  | { reason: 'new'; isFresh: (key: string) => boolean; seen: string[] };

/**
 * Whether something that is said of a subject is news: a grant older than the newest one that was heard of says nothing any more, however
 * good its clock, and nothing counts twice. Tokens only grow, so this is the order in which a device was measured, and no clock needs
 * to be right. `isFresh` tells which of `keys` were not seen before.
 */
export const freshness = (
  { token: newest, seen }: Pick<SubjectStates, 'token' | 'seen'>,
  token: number,
  keys: readonly string[],
): Freshness => {
  if (token < newest) return { reason: 'late' };
  const known = token === newest ? seen : [];
  const fresh = keys.filter((key) => !known.includes(key));
  if (fresh.length === 0) return { reason: 'repeated' };
  return { reason: 'new', isFresh: (key) => !known.includes(key), seen: [...known, ...fresh].slice(-MAX_SEEN) };
};
