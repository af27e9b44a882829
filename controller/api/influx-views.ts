import { z } from 'zod';
import { Id } from '../../broker/contract/messages.ts';
import { parseSince } from './since.ts';

/** The way to InfluxDB. Points are shown as line protocol, those that were set aside the newest first, and not all of them. */
export const InfluxView = z.object({
  waiting: z.int(),
  rejected: z.int(),
  last_error: z.string().nullable(),
  last_success: z.string().nullable(),
  rejected_points: z.array(z.object({ point: z.string(), error: z.string() })),
});
export type InfluxView = z.infer<typeof InfluxView>;

export const Requeued = z.object({ requeued: z.int() });
export type Requeued = z.infer<typeof Requeued>;

/** How many runs a page had; `next` is the `after` of the one that follows, null when there is none. */
export const Page = z.object({ runs: z.int(), next: z.string().nullable() });
export type Page = z.infer<typeof Page>;

export const Backfilled = Page.extend({ points: z.int() });
export type Backfilled = z.infer<typeof Backfilled>;

/** One page of line protocol; times in milliseconds. */
export const Exported = Page.extend({ lines: z.array(z.string()) });
export type Exported = z.infer<typeof Exported>;

const moment = (now_ms: number) =>
  z.string().transform((text, context) => {
    const ms = parseSince(text, now_ms);
    if (ms !== null) return ms;
    const message = 'expected a time such as 2026-11-22T02:00:00Z, or how far back, such as 24h';
    context.issues.push({ code: 'custom', input: text, message });
    return z.NEVER;
  });

/** Which stored runs: those that ended from `since` up to, but not at, `until`. Both are RFC 3339 or a duration back from `now_ms`. */
export const backfillOrder = (now_ms: number) =>
  z
    .strictObject({
      since: moment(now_ms),
      until: moment(now_ms).optional(),
      device: Id.optional(),
      after: z
        .string()
        .regex(/^\d{1,16}(\.\d{1,6})?:\d{1,16}$/, 'expected the next of the page before')
        .optional(),
    })
    .transform(({ since, until, device, after }) => ({
      since_ms: since,
      until_ms: until ?? Number.MAX_SAFE_INTEGER,
      device,
      after,
    }));
export type BackfillOrder = z.infer<ReturnType<typeof backfillOrder>>;
