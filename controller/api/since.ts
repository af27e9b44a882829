import { z } from 'zod';
import { parseDuration } from '../config/units.ts';

const Rfc3339 = z.iso.datetime({ offset: true });

/** `2026-11-22T02:00:00Z`, or a duration back from `now_ms` such as `24h` → milliseconds since 1970; null for anything else. */
export const parseSince = (text: string, now_ms: number): number | null => {
  const back_ms = parseDuration(text);
  if (back_ms !== null) return now_ms - back_ms;
  return Rfc3339.safeParse(text).success ? Date.parse(text) : null;
};
