import type { Clock } from '../broker/clock.ts';
import type { Log } from '../broker/log.ts';

/** So many warnings with the same words get through … */
const MAX_WARNINGS = 20;

/** … in this time, in milliseconds. */
const WINDOW_MS = 10_000;

interface Window {
  since: number;
  seen: number;
}

/**
 * A log for what devices can bring about as often as they like, or one of them could fill the disk: of the warnings with the same words
 * at most 20 in 10 s get through. The first one after that has the number of those that did not in `unlogged`.
 */
export const limitedLog = (log: Log, clock: Clock): Log => {
  const windows = new Map<string, Window>();
  return {
    debug: (fields, message) => log.debug(fields, message),
    info: (fields, message) => log.info(fields, message),
    error: (fields, message) => log.error(fields, message),
    warn: (fields, message) => {
      const now = clock.now();
      const last = windows.get(message);
      if (last !== undefined && now - last.since < WINDOW_MS) {
        last.seen += 1;
        if (last.seen <= MAX_WARNINGS) log.warn(fields, message);
        return;
      }
      windows.set(message, { since: now, seen: 1 });
      const unlogged = Math.max(0, (last?.seen ?? 0) - MAX_WARNINGS);
      log.warn(unlogged > 0 ? { ...fields, unlogged } : fields, message);
    },
  };
};
