import type { Clock } from '../../broker/clock.ts';
import type { Settings } from '../config/settings.ts';
import type { LeaseRow, RunRequest } from '../slots/events.ts';
import type { RunRow } from '../store/runs.ts';

/**
 * A stored run as the slots need it. The store has wall-clock times, the slots count monotonic ones: a clock that jumps
 * later moves nothing.
 */
export const runRequest = (
  row: RunRow,
  uplink_group: string | null,
  settings: Settings,
  clock: Pick<Clock, 'now' | 'wall'>,
): RunRequest => {
  const shift = clock.now() - clock.wall();
  return {
    run: row.run,
    device: row.device,
    servers: row.server === null ? (settings.organizations.get(row.organization)?.servers ?? []) : [row.server],
    uplink_group,
    tests: row.tests,
    on_demand: row.origin === 'demand',
    not_before: row.not_before_ms + shift,
    window_end: row.window_end_ms + shift,
  };
};

/** Stands for a run that the store does not know (any more), though a lease of it was found: nobody waits for it. */
export const requestOfLease = ({ run, device, server, tests }: LeaseRow, now: number): RunRequest => ({
  run,
  device,
  servers: [server],
  uplink_group: null,
  tests,
  on_demand: false,
  not_before: now,
  window_end: now,
});
