import { z } from 'zod';
import { Id } from '../../broker/contract/messages.ts';
import type { RecordFilter } from './service.ts';
import { parseSince } from './since.ts';

/** How many runs are listed when nobody says … */
export const DEFAULT_LIMIT = 1000;

/** … and at most. */
const MAX_LIMIT = 10_000;

/** The query of `GET /runs` → a filter. `since` is RFC 3339 or a duration back from `now_ms`. */
export const runQuery = (now_ms: number) =>
  z
    .strictObject({
      device: Id.optional(),
      since: z
        .string()
        .transform((text, context) => {
          const since_ms = parseSince(text, now_ms);
          if (since_ms !== null) return since_ms;
          context.issues.push({
            code: 'custom',
            input: text,
            message: 'expected a time such as 2026-11-22T02:00:00Z, or how far back, such as 24h',
          });
          return z.NEVER;
        })
        .optional(),
      limit: z.coerce.number().pipe(z.int().min(1).max(MAX_LIMIT)).default(DEFAULT_LIMIT),
    })
    .transform(
      ({ device, since, limit }): RecordFilter => ({
        limit,
        ...(device === undefined ? {} : { device }),
        ...(since === undefined ? {} : { since_ms: since }),
      }),
    );
