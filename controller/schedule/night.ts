import type { CheckSettings, OrganizationSettings } from '../config/settings.ts';
import { occurrences } from './occurrences.ts';

/** `<organization>/<occurrence as RFC 3339 UTC>`: names one night of one organization, whatever the clock does later. */
export const nightKey = (organization: string, start_ms: number): string =>
  `${organization}/${new Date(start_ms).toISOString()}`;

/** When nights begin. An organization has several timetables when tags change the schedule or the time zone. */
export type Timetable = Pick<CheckSettings, 'schedule' | 'timezone'>;

/** Tells timetables apart. */
export const timetableKey = ({ schedule, timezone }: Timetable): string => `${schedule} ${timezone}`;

/** The history: up to when the nights of one timetable of an organization are planned. */
export interface NightMark extends Timetable {
  organization: string;
  /** When the last planned night began, or when the timetable came into force. */
  start_ms: number;
}

/** How far ahead of the clock the history is believed, and how far back nights are still reported as missed. */
export const HISTORY_REACH_MS = 7 * 86_400_000;

export const isBelieved = ({ start_ms }: NightMark, now_ms: number): boolean => start_ms <= now_ms + HISTORY_REACH_MS;

/** All timetables that a device of the organization can have, whatever its tags. */
export const timetablesOf = ({ check, tags }: Pick<OrganizationSettings, 'check' | 'tags'>): Timetable[] => {
  const { schedule, timezone } = check;
  const found = new Map([[timetableKey(check), { schedule, timezone }]]);
  for (const { check: change } of tags) {
    for (const before of [...found.values()]) {
      const after = { schedule: change.schedule ?? before.schedule, timezone: change.timezone ?? before.timezone };
      found.set(timetableKey(after), after);
    }
  }
  return [...found.values()];
};

/** When the next night of a mark's timetable would have begun; Infinity when never. */
const nextOf = ({ schedule, timezone, start_ms }: NightMark): number => {
  try {
    return occurrences(schedule, timezone).after(start_ms) ?? Number.POSITIVE_INFINITY;
  } catch {
    // A zone of an older configuration that this Node.js does not know.
    return Number.POSITIVE_INFINITY;
  }
};

/**
 * After which moment the nights of a timetable are still to be planned, by what the history says of its organization (`marks`). Null: the
 * organization is new, or its history can't be believed, and the night that is open is joined.
 *
 * A timetable that is new takes over where the old ones of the organization left off: at the moment their next night would have begun, but not
 * later than now. Otherwise a change of the schedule doubled a night, or made up for nights that the old schedule has measured.
 */
export const plannedUpTo = (timetable: Timetable, marks: readonly NightMark[], now_ms: number): number | null => {
  const own = marks.find((mark) => timetableKey(mark) === timetableKey(timetable));
  if (own !== undefined) return isBelieved(own, now_ms) ? own.start_ms : null;
  const believed = marks.filter((mark) => isBelieved(mark, now_ms));
  if (believed.length === 0) return null;
  return Math.max(...believed.map((mark) => Math.max(mark.start_ms, Math.min(now_ms, nextOf(mark) - 1))));
};
