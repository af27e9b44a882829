import { z } from 'zod';
import { PROBE_VERDICTS } from '../drivers/probe.ts';

/** A server and who uses it now. `queued` counts the runs that wait and may use it. */
export const ServerView = z.object({
  server: z.string(),
  host: z.string(),
  port: z.int(),
  host_group: z.string().nullable(),
  device: z.string().nullable(),
  run: z.string().nullable(),
  queued: z.int(),
  state: z.enum(['idle', 'leased', 'resting', 'busy-elsewhere', 'suppressed', 'maintenance']),
});
export type ServerView = z.infer<typeof ServerView>;

/**
 * Whether an iperf3 server answers. `in-use`: a run of ours has it, or may have it, so it was not probed; `resting`: another controller's run
 * may have it; `not-in-charge`: the controller may not ask now. `round_trip_ms` only when iperf3 said something. `version` is null: an iperf3
 * server tells its version to nobody who runs no test. `message` is for people.
 */
export const ServerCheck = z.object({
  server: z.string().nullable(),
  host: z.string(),
  port: z.int(),
  verdict: z.enum([...PROBE_VERDICTS, 'in-use', 'resting', 'not-in-charge']),
  round_trip_ms: z.number().nullable(),
  version: z.null(),
  device: z.string().nullable(),
  run: z.string().nullable(),
  message: z.string(),
});
export type ServerCheck = z.infer<typeof ServerCheck>;
