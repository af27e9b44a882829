import { z } from 'zod';
import { Id, TestOutput } from '../../broker/contract/messages.ts';
import { RunRecord } from '../run-record.ts';

/** A run that somebody asks for now, with the tests of the device's check. `server` null: the first that gets free. */
export const RunOrder = z.strictObject({ device: Id, server: Id.nullable().default(null) });
export type RunOrder = z.infer<typeof RunOrder>;

/** What happens to a run that is not over; the last one, `final`, carries the record. */
export const ProgressView = z.discriminatedUnion('phase', [
  z.object({ phase: z.literal('waiting'), run: z.string(), at: z.string(), reason: z.string().nullable() }),
  z.object({ phase: z.literal('on-deck'), run: z.string(), at: z.string(), server: z.string() }),
  z.object({
    phase: z.enum(['starting', 'running']),
    run: z.string(),
    at: z.string(),
    server: z.string(),
    tests: z.array(z.object({ test: z.string(), duration_s: z.number(), omit_s: z.number() })),
  }),
  z.object({ phase: z.literal('finished'), run: z.string(), at: z.string() }),
  z.object({ phase: z.literal('final'), run: z.string(), at: z.string(), record: RunRecord }),
]);
export type ProgressView = z.infer<typeof ProgressView>;

/**
 * What the tests of a run printed, as the agent sent it: one entry for each attempt whose result came, oldest first. An old one has been
 * dropped.
 */
export const RawView = z.object({
  run: z.string(),
  attempts: z.array(z.object({ token: z.int(), tests: z.array(TestOutput) })),
});
export type RawView = z.infer<typeof RawView>;
