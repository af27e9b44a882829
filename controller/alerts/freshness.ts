import type { SubjectStates } from './state.ts';

/** So many of one grant are remembered: more than one run can have. */
const MAX_SEEN = 256;

/**
 * Whether something that is said of a subject is news: a grant older than the newest one that was heard of says nothing any more, however
 * good its clock, and nothing counts twice. Tokens only grow, so this is the order in which a device was measured, and no clock needs
 * to be right. `fresh` are those of `keys` that were not seen before.
 */
export const freshness = (
  { token: newest, seen }: Pick<SubjectStates, 'token' | 'seen'>,
  token: number,
  keys: readonly string[],
): { reason: 'late' | 'repeated'; fresh: null } | { reason: 'new'; fresh: ReadonlySet<string>; seen: string[] } => {
  if (token < newest) return { reason: 'late', fresh: null };
  const known = token === newest ? seen : [];
  const fresh = new Set(keys.filter((key) => !known.includes(key)));
  if (fresh.size === 0) return { reason: 'repeated', fresh: null };
  return { reason: 'new', fresh, seen: [...known, ...fresh].slice(-MAX_SEEN) };
};
