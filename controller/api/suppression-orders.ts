import { z } from 'zod';
import { Id } from '../../broker/contract/messages.ts';
import { parseDuration } from '../config/units.ts';
import { LATEST_END_MS, SCOPES, type SuppressionScope, scopeOf } from '../schedule/suppression.ts';

/** What is to be suppressed: `until_ms` is milliseconds since 1970, null for until it is lifted. */
export interface SuppressionOrder {
  what: SuppressionScope;
  until_ms: number | null;
  reason: string | null;
  stop_running: boolean;
}

interface Words {
  scope: (typeof SCOPES)[number];
  name?: string | null | undefined;
}

const Target = { scope: z.enum(SCOPES), name: Id.nullable().default(null) };

/** The scope that two words name; a fault in words when they don't fit together. */
const targetOf = ({ scope, name }: Words): SuppressionScope | string => {
  if (scope === 'fleet') return name == null ? { scope } : 'the fleet has no name';
  return name == null ? `expected the name of the ${scope}` : scopeOf(scope, name);
};

/** When a suppression ends by itself; a fault in words when it would be over already, or too far away, or is said twice. */
const endOf = (until: string | null, length: string | null, now_ms: number): number | null | string => {
  if (until !== null && length !== null) return 'expected either a time or a length';
  const length_ms = length === null ? null : parseDuration(length);
  if (length !== null && length_ms === null) return 'expected a length such as 2h';
  const end_ms = until !== null ? Date.parse(until) : length_ms === null ? null : now_ms + length_ms;
  if (end_ms === null) return null;
  if (end_ms > LATEST_END_MS) return 'ends after the year 9999: leave it out for one without an end';
  return end_ms > now_ms ? end_ms : 'is in the past: expected a time to come';
};

/** The body of `POST /suppressions`. `until` is RFC 3339; `for`, instead, how long from `now_ms`. */
export const suppressionOrder = (now_ms: number) =>
  z
    .strictObject({
      ...Target,
      until: z.iso.datetime({ offset: true }).nullable().default(null),
      for: z.string().nullable().default(null),
      reason: z.string().min(1).max(200).nullable().default(null),
      stop_running: z.boolean().default(false),
    })
    .transform((body, context): SuppressionOrder => {
      const { reason, stop_running } = body;
      const what = targetOf(body);
      const until_ms = endOf(body.until, body.for, now_ms);
      if (typeof what === 'string') {
        context.issues.push({ code: 'custom', input: body, path: ['name'], message: what });
      } else if (typeof until_ms === 'string') {
        const path = [body.until === null ? 'for' : 'until'];
        context.issues.push({ code: 'custom', input: body, path, message: until_ms });
      } else return { what, until_ms, reason, stop_running };
      return z.NEVER;
    });

/** The query of `DELETE /suppressions`: one scope, or `all=true`. */
export const WhatToResume = z
  .union([z.strictObject({ all: z.literal('true') }), z.strictObject({ scope: z.enum(SCOPES), name: Id.optional() })], {
    error: 'expected scope (and name), or all=true',
  })
  .transform((query, context): { all: true } | { all: false; what: SuppressionScope } => {
    if ('all' in query) return { all: true };
    const what = targetOf(query);
    if (typeof what !== 'string') return { all: false, what };
    context.issues.push({ code: 'custom', input: query, path: ['name'], message: what });
    return z.NEVER;
  });
export type WhatToResume = z.infer<typeof WhatToResume>;
