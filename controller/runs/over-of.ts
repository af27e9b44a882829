import type { LeaseRow } from '../slots/events.ts';
import type { Over } from '../slots/state/hold.ts';
import type { RunRow } from '../store/runs.ts';

/**
 * Whether a lease found on disk has nothing to say about its run any more. A run whose attempt was settled, and that waits for another one,
 * goes on by itself: of the old lease only its server's rest was left.
 */
export const overOf = (lease: LeaseRow, run: RunRow): Over | null => {
  if (run.state === 'final') return { cancel: 'the run was over' };
  const isAwaited = run.awaits_result && run.granted_token === lease.token;
  return lease.granted && !isAwaited ? { cancel: null } : null;
};
