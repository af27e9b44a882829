import type { CheckSettings } from '../config/settings.ts';

/** `<organization>/<occurrence as RFC 3339 UTC>`: names one night of one organization, whatever the clock does later. */
export const nightKey = (organization: string, start_ms: number): string =>
  `${organization}/${new Date(start_ms).toISOString()}`;

/** The start of a night in milliseconds; null for a key that is none. */
export const nightStart = (night: string): number | null => {
  const start = Date.parse(night.slice(night.lastIndexOf('/') + 1));
  return Number.isNaN(start) ? null : start;
};

interface Checked {
  check: Pick<CheckSettings, 'schedule' | 'timezone'>;
}

/**
 * What to write into the history when settings are replaced: an organization whose nights have moved starts anew at `now_ms`. Without it
 * the nights that its new schedule would have had while the old one was in force were reported as missed.
 */
export const rescheduled = (
  before: ReadonlyMap<string, Checked>,
  after: ReadonlyMap<string, Checked>,
  done: ReadonlyMap<string, string>,
  now_ms: number,
): Map<string, string> => {
  const marks = new Map<string, string>();
  for (const [organization, { check }] of after) {
    const old = before.get(organization)?.check;
    const last = done.get(organization);
    if (old === undefined || last === undefined) continue;
    if (old.schedule === check.schedule && old.timezone === check.timezone) continue;
    marks.set(organization, nightKey(organization, Math.max(now_ms, nightStart(last) ?? now_ms)));
  }
  return marks;
};
