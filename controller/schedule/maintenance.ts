import type { ServerSettings } from '../config/settings.ts';
import { occurrences } from './occurrences.ts';

/** So many windows in a row are followed; beyond them no end is in sight. */
const MAX_MERGED = 500;

/**
 * Whether planned maintenance covers `now_ms`, and when that changes: the start of the next window, or the end of the present one with all that
 * overlap or touch it. A window holds its first moment and not its last. `next_ms` is null when there is no change in sight. Wall clock, milliseconds
 * since 1970.
 */
export const maintenanceAt = (
  windows: ServerSettings['maintenance'],
  now_ms: number,
): { under_way: boolean; next_ms: number | null } => {
  const starts = windows.map(({ schedule, timezone, duration_ms }) => ({
    ...occurrences(schedule, timezone),
    duration_ms,
  }));
  let end = now_ms;
  for (let merged = 0; merged < MAX_MERGED; merged += 1) {
    // Of each schedule the earliest window that is open at `end`: the next round finds the later ones.
    const ends = starts.flatMap(({ after, duration_ms }) => {
      const start = after(end - duration_ms);
      return start !== null && start <= end ? [start + duration_ms] : [];
    });
    if (ends.length === 0) {
      if (end > now_ms) return { under_way: true, next_ms: end };
      const next = starts.flatMap(({ after }) => after(now_ms) ?? []);
      return { under_way: false, next_ms: next.length === 0 ? null : Math.min(...next) };
    }
    end = Math.max(...ends);
  }
  return { under_way: true, next_ms: null };
};
