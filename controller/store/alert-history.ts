import { z } from 'zod';
import { Measurement } from '../results/measurement.ts';
import { Outcome } from '../run-record.ts';
import { jsonColumn } from './columns.ts';
import type { Database } from './database.ts';

const Timed = z.object({ time_ms: z.number(), value: z.number() });
export type Timed = z.infer<typeof Timed>;

/** One stored measurement; `zero` when it stands for a test that was never measured. */
const Measured = z.object({
  run: z.string(),
  server: z.string().nullable(),
  time_ms: z.number(),
  zero: z.int().transform((value) => value !== 0),
  measurement: jsonColumn(Measurement),
});
export type Measured = z.infer<typeof Measured>;

const Ended = z.object({
  run: z.string(),
  server: z.string().nullable(),
  time_ms: z.number(),
  outcome: Outcome.extract(['success', 'failed', 'lost']),
  reason: z.string().nullable(),
});
export type Ended = z.infer<typeof Ended>;

const Attempted = z.object({
  run: z.string(),
  device: z.string(),
  token: z.int(),
  time_ms: z.number(),
  failures: jsonColumn(z.array(z.object({ class: z.string() }))),
  measured: z.int().transform((value) => value !== 0),
});
export type Attempted = z.infer<typeof Attempted>;

export interface Metric {
  protocol: string;
  direction: string;
}

/** What has been stored, as alert rules look at it: of one device, or one server. Times are milliseconds since 1970, ends not included. */
export class AlertHistory {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Whether a result of a newer grant of the device than this has been stored. */
  hasNewer(device: string, token: number): boolean {
    const sql = 'SELECT 1 FROM moved WHERE device = ? AND token > ? AND estimated = 0 LIMIT 1';
    return this.#database.get(z.unknown(), sql, [device, token]) !== null;
  }

  /** Whether a result of a newer grant on the server than this has been stored. */
  serverHasNewer(server: string, token: number): boolean {
    const sql = 'SELECT 1 FROM grants JOIN results USING (run, token) WHERE server = ? AND token > ? LIMIT 1';
    return this.#database.get(z.unknown(), sql, [server, token]) !== null;
  }

  /** What was really measured of one field since then, oldest first. */
  values(device: string, { protocol, direction }: Metric, field: string, from_ms: number): Timed[] {
    return this.#database.all(
      Timed,
      `SELECT time_ms, measurement ->> @field AS value FROM runs JOIN measurements USING (run)
       WHERE device = @device AND changed_at_ms >= @from_ms AND time_ms >= @from_ms AND token IS NOT NULL
         AND measurement ->> 'protocol' = @protocol AND measurement ->> 'direction' = @direction AND value IS NOT NULL
       ORDER BY time_ms`,
      { device, field, protocol, direction, from_ms },
    );
  }

  /** All measurements of a device since then, zeros among them, oldest first; or only the last `limit` of them. */
  measured(device: string, { protocol, direction }: Metric, since_ms: number, limit = -1): Measured[] {
    const rows = this.#database.all(
      Measured,
      `SELECT runs.run, coalesce(grants.server, runs.server) AS server, time_ms, measurements.token IS NULL AS zero, measurement
       FROM runs JOIN measurements USING (run) LEFT JOIN grants ON grants.token = coalesce(measurements.token, granted_token)
       WHERE device = @device AND changed_at_ms >= @since_ms AND time_ms >= @since_ms
         AND measurement ->> 'protocol' = @protocol AND measurement ->> 'direction' = @direction
       ORDER BY time_ms DESC, measurements.id DESC LIMIT @limit`,
      { device, protocol, direction, since_ms, limit },
    );
    return rows.reverse();
  }

  /** How the runs of a device ended since then, oldest first; or only the last `limit` of them. */
  ended(device: string, since_ms: number, limit = -1): Ended[] {
    const rows = this.#database.all(
      Ended,
      `SELECT runs.run, coalesce(grants.server, runs.server) AS server, coalesce(grants.at_ms, finished_at_ms) AS time_ms, outcome, reason
       FROM runs LEFT JOIN grants ON grants.token = granted_token
       WHERE device = @device AND changed_at_ms >= @since_ms AND outcome IN ('success', 'failed', 'lost') AND time_ms >= @since_ms
       ORDER BY time_ms DESC LIMIT @limit`,
      { device, since_ms, limit },
    );
    return rows.reverse();
  }

  /** What attempts brought against a server since then, oldest first. */
  attempted(server: string, since_ms: number): Attempted[] {
    return this.#database.all(
      Attempted,
      `SELECT grants.run, device, grants.token, grants.at_ms AS time_ms, results.failures,
         EXISTS (SELECT 1 FROM measurements WHERE measurements.run = grants.run AND measurements.token = grants.token) AS measured
       FROM grants JOIN results USING (run, token) JOIN runs USING (run)
       WHERE grants.server = ? AND grants.at_ms >= ? ORDER BY grants.token`,
      [server, since_ms],
    );
  }
}
