import type { Clock } from '../../broker/clock.ts';
import type { Settings } from '../config/settings.ts';
import type { RunRequest } from '../slots/events.ts';
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
