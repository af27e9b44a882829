import { z } from 'zod';
import { Id } from '../../broker/contract/messages.ts';
import { listLimit } from './list-limit.ts';
import type { RecordFilter } from './service.ts';
import { parseSince } from './since.ts';

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
      limit: listLimit,
    })
    .transform(
      ({ device, since, limit }): RecordFilter => ({
        limit,
        ...(device === undefined ? {} : { device }),
        ...(since === undefined ? {} : { since_ms: since }),
      }),
    );
