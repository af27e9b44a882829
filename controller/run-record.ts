import { z } from 'zod';
import { SystemLoad } from '../broker/contract/messages.ts';
import { Failure, Measurement } from './results/measurement.ts';

/** How a run ended: exactly one per run. */
export const Outcome = z.enum(['success', 'failed', 'skipped', 'missed', 'cancelled', 'lost']);
export type Outcome = z.infer<typeof Outcome>;

/**
 * One run, as the command line, the HTTP API and webhooks show it. `outcome` is null while it is not over yet.
 * `granted_at` is RFC 3339 by the controller's clock, null when it never had a slot; `queued_s` counts from the request to the first grant.
 */
export const RunRecord = z.object({
  run: z.string(),
  device: z.string(),
  organization: z.string(),
  server: z.string().nullable(),
  via: z.enum(['agent', 'ssh']).nullable(),
  outcome: Outcome.nullable(),
  reason: z.string().nullable(),
  granted_at: z.string().nullable(),
  queued_s: z.number(),
  duration_s: z.number(),
  attempts: z.int(),
  measurements: z.array(Measurement),
  failures: z.array(Failure.extend({ test: z.string() })),
  warnings: z.array(z.string()),
  /** How busy the device was during each test, in its last attempt; only where its agent says it. */
  system: z.array(SystemLoad.extend({ test: z.string() })).optional(),
  /** Only of a run that was to confirm an alert. */
  origin: z.literal('retest').optional(),
});
export type RunRecord = z.infer<typeof RunRecord>;
