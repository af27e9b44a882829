import { z } from 'zod';
import { Measurement } from '../results/measurement.ts';
import { Outcome } from '../run-record.ts';
import { jsonColumn } from './columns.ts';
import type { Database } from './database.ts';

/** A run as its points were made of it. */
const Row = z.object({
  run: z.string(),
  device: z.string(),
  organization: z.string(),
  /** Where it was measured last, or was to be; null when it never had a server. */
  server: z.string().nullable(),
  via: z.enum(['agent', 'ssh']).nullable(),
  /** Null while it is not over. */
  outcome: Outcome.nullable(),
  reason: z.string().nullable(),
  attempts: z.int(),
  requested_at_ms: z.number(),
  first_granted_at_ms: z.number().nullable(),
  granted_at_ms: z.number().nullable(),
  finished_at_ms: z.number().nullable(),
  duration_s: z.number().nullable(),
  changed_at_ms: z.number(),
  row: z.int(),
});

const Figures = z.object({
  run: z.string(),
  /** Where that attempt was measured; null for a zero of a run that never had a slot. */
  server: z.string().nullable(),
  time_ms: z.number(),
  measurement: jsonColumn(Measurement),
});

export type PastRun = z.infer<typeof Row> & { measurements: z.infer<typeof Figures>[] };

/** Runs that changed (ended, mostly) from `since_ms` up to, but not at, `until_ms`. `after` is `next` of the page before. */
export interface Past {
  since_ms: number;
  until_ms: number;
  device?: string | undefined;
  after?: Place | undefined;
}

/** Where a page ended. */
export interface Place {
  changed_at_ms: number;
  row: number;
}

/** What is stored, from the oldest on, page by page: for those who want all of it once more. */
export class History {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** At most `limit` runs. `next` is null when there are no more. */
  page({ since_ms, until_ms, device, after }: Past, limit: number): { runs: PastRun[]; next: Place | null } {
    const { changed_at_ms, row } = after ?? { changed_at_ms: since_ms, row: 0 };
    const rows = this.#database.all(
      Row,
      `SELECT runs.run, device, organization, coalesce(ended_on, grants.server, runs.server) AS server, via, outcome, reason, attempts,
         requested_at_ms, first_granted_at_ms, grants.at_ms AS granted_at_ms, finished_at_ms, duration_s, changed_at_ms, runs.rowid AS row
       FROM runs LEFT JOIN grants ON grants.token = runs.granted_token
       WHERE (changed_at_ms, runs.rowid) > (@changed_at_ms, @row) AND changed_at_ms < @until_ms AND (@device IS NULL OR device = @device)
       ORDER BY changed_at_ms, runs.rowid LIMIT @limit`,
      { changed_at_ms, row, until_ms, device: device ?? null, limit },
    );
    const measurements = new Map<string, z.infer<typeof Figures>[]>(rows.map(({ run }) => [run, []]));
    const figures = this.#database.all(
      Figures,
      `SELECT measurements.run, coalesce(grants.server, ended_on, runs.server) AS server, time_ms, measurement
       FROM measurements JOIN runs USING (run) LEFT JOIN grants ON grants.token = coalesce(measurements.token, runs.granted_token)
       WHERE measurements.run IN (SELECT value FROM json_each(?)) ORDER BY time_ms, id`,
      [JSON.stringify([...measurements.keys()])],
    );
    for (const one of figures) measurements.get(one.run)?.push(one);
    const last = rows.length < limit ? undefined : rows.at(-1);
    return {
      runs: rows.map((one) => ({ ...one, measurements: measurements.get(one.run) ?? [] })),
      next: last === undefined ? null : { changed_at_ms: last.changed_at_ms, row: last.row },
    };
  }
}
