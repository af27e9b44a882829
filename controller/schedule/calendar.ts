import { localTime } from './local-time.ts';

/**
 * The moment at which the calendar day of `now_ms` began in a time zone, both in milliseconds since 1970. Days never go back: a clock that is
 * set back over midnight in autumn stays in the new day. @throws RangeError for an unknown zone.
 */
export const dayStart = (now_ms: number, timezone: string): number => {
  const zone = localTime(timezone);
  return zone.momentOf(new Date(zone.latestShown(now_ms)).setUTCHours(0, 0, 0, 0));
};

/** The same for the calendar month. */
export const monthStart = (now_ms: number, timezone: string): number => {
  const zone = localTime(timezone);
  const local = new Date(zone.latestShown(now_ms));
  return zone.momentOf(Date.UTC(local.getUTCFullYear(), local.getUTCMonth(), 1));
};
