import type { Clock } from '../../broker/clock.ts';
import { DEFAULT_CHECK } from '../config/check-section.ts';
import type { Settings } from '../config/settings.ts';
import { checkOf } from '../schedule/check-of.ts';
import type { LeaseRow, RunRequest } from '../slots/events.ts';
import type { RunRow } from '../store/runs.ts';

/**
 * A stored run as the slots need it. The store has wall-clock times, the slots count monotonic ones: a clock that jumps
 * later moves nothing.
 */
export const runRequest = (
  row: RunRow,
  { uplink_group, tags }: { uplink_group: string | null; tags: readonly string[] },
  settings: Settings,
  clock: Pick<Clock, 'now' | 'wall'>,
): RunRequest => {
  const shift = clock.now() - clock.wall();
  const organization = settings.organizations.get(row.organization);
  const { priority, max_cross_traffic } = organization === undefined ? DEFAULT_CHECK : checkOf(organization, tags);
  return {
    run: row.run,
    device: row.device,
    organization: row.organization,
    tags,
    servers: row.server === null ? (organization?.servers ?? []) : [row.server],
    uplink_group,
    tests: row.tests,
    on_demand: row.origin !== 'schedule',
    priority,
    max_cross_traffic,
    not_before: row.not_before_ms + shift,
    window_end: row.window_end_ms + shift,
  };
};

/** Stands for a run that the store does not know (any more), though a lease of it was found: nobody waits for it. */
export const requestOfLease = ({ run, device, server, tests }: LeaseRow, now: number): RunRequest => ({
  run,
  device,
  organization: '',
  tags: [],
  servers: [server],
  uplink_group: null,
  tests,
  on_demand: false,
  priority: 1,
  max_cross_traffic: null,
  not_before: now,
  window_end: now,
});
