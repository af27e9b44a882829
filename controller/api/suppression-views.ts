import { z } from 'zod';
import { SCOPES } from '../schedule/suppression.ts';

/** What is suppressed: `name` is null for the fleet, `until` for what lasts until it is lifted. Times are RFC 3339. */
export const SuppressionView = z.object({
  scope: z.enum(SCOPES),
  name: z.string().nullable(),
  until: z.string().nullable(),
  reason: z.string().nullable(),
  since: z.string(),
});
export type SuppressionView = z.infer<typeof SuppressionView>;

/** What came of a suppression: how many runs were stopped, and what looks odd about it. */
export const Suppressed = z.object({
  suppression: SuppressionView,
  stopped: z.int(),
  warnings: z.array(z.string()),
});
export type Suppressed = z.infer<typeof Suppressed>;

/** The suppressions that were lifted. */
export const Resumed = z.object({ resumed: z.array(SuppressionView) });
export type Resumed = z.infer<typeof Resumed>;
