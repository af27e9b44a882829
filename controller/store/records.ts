import { z } from 'zod';
import { Measurement } from '../results/measurement.ts';
import { RunRecord } from '../run-record.ts';
import { jsonColumn } from './columns.ts';
import type { Database, Value } from './database.ts';

const MAX_RECORDS = 1000;

export interface RecordFilter {
  run?: string;
  device?: string;
  /** Requested, granted or finished at this time or later. */
  since_ms?: number;
  /** 1000 unless given. */
  limit?: number;
}

const Head = RunRecord.omit({
  granted_at: true,
  queued_s: true,
  measurements: true,
  warnings: true,
  system: true,
}).extend({
  origin: z.string(),
  granted_at_ms: z.number().nullable(),
  requested_at_ms: z.number(),
  /** Until when it was queued. */
  left_queue_at_ms: z.number(),
  failures: jsonColumn(RunRecord.shape.failures),
});

const Figures = z.object({ run: z.string(), token: z.int().nullable(), measurement: jsonColumn(Measurement) });
type Figures = z.infer<typeof Figures>;

const Attempt = z.object({
  run: z.string(),
  token: z.int(),
  failures: jsonColumn(RunRecord.shape.failures),
  warnings: jsonColumn(z.array(z.string())),
  system: jsonColumn(RunRecord.shape.system.unwrap()),
});
type Attempt = z.infer<typeof Attempt>;

const grouped = <T>(rows: readonly T[], keyOf: (row: T) => string): Map<string, T[]> => {
  const groups = new Map<string, T[]>();
  for (const row of rows) {
    const group = groups.get(keyOf(row));
    if (group === undefined) groups.set(keyOf(row), [row]);
    else group.push(row);
  }
  return groups;
};

/** A failure counts until a later attempt measures the test, or fails in another way. */
const standingFailures = (attempts: readonly Attempt[], figures: readonly Figures[]): RunRecord['failures'] => {
  const standing = new Map<string, RunRecord['failures']>();
  for (const { token, failures } of attempts) {
    for (const { token: of, measurement } of figures) if (of === token) standing.delete(measurement.test);
    for (const [test, list] of grouped(failures, (failure) => failure.test)) standing.set(test, list);
  }
  return [...standing.values()].flat();
};

/** Of each test what its last attempt says. */
const lastSystem = (attempts: readonly Attempt[]): NonNullable<RunRecord['system']> => [
  ...new Map(attempts.flatMap(({ system }) => system.map((one) => [one.test, one] as const))).values(),
];

/** Runs as people and programs see them. */
export class Records {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  get(run: string): RunRecord | null {
    return this.list({ run })[0] ?? null;
  }

  /**
   * Newest first. `server`, `via` and `granted_at` are of the latest grant. A run that ended without one was queued until
   * its end; `queued_s` of a run that still waits is 0.
   */
  list(filter: RecordFilter = {}): RunRecord[] {
    const heads = this.#heads(filter);
    const ids = [JSON.stringify(heads.map((head) => head.run))];
    const among = 'WHERE run IN (SELECT value FROM json_each(?))';
    const figures = grouped(
      this.#database.all(
        Figures,
        `SELECT run, token, measurement FROM measurements ${among} ORDER BY time_ms, id`,
        ids,
      ),
      (row) => row.run,
    );
    const attempts = grouped(
      this.#database.all(
        Attempt,
        `SELECT run, token, failures, warnings, system FROM results ${among} ORDER BY token`,
        ids,
      ),
      (row) => row.run,
    );
    return heads.map(({ granted_at_ms, requested_at_ms, left_queue_at_ms, origin, ...head }) => {
      const system = lastSystem(attempts.get(head.run) ?? []);
      const mine = { figures: figures.get(head.run) ?? [], attempts: attempts.get(head.run) ?? [] };
      return {
        ...head,
        granted_at: granted_at_ms === null ? null : new Date(granted_at_ms).toISOString(),
        queued_s: (left_queue_at_ms - requested_at_ms) / 1000,
        measurements: mine.figures.map((row) => row.measurement),
        failures: [...standingFailures(mine.attempts, mine.figures), ...head.failures],
        warnings: mine.attempts.flatMap((row) => row.warnings),
        ...(system.length > 0 ? { system } : {}),
        ...(origin === 'retest' ? { origin } : {}),
      };
    });
  }

  #heads({ run, device, since_ms, limit = MAX_RECORDS }: RecordFilter): z.infer<typeof Head>[] {
    const conditions: [string, Value | undefined][] = [
      ['runs.run = ?', run],
      ['device = ?', device],
      ['changed_at_ms >= ?', since_ms],
    ];
    const where: string[] = ['1'];
    const values: Value[] = [];
    for (const [condition, value] of conditions) {
      if (value === undefined) continue;
      where.push(condition);
      values.push(value);
    }
    return this.#database.all(
      Head,
      `SELECT runs.run, device, organization, coalesce(grants.server, runs.server) AS server, via, outcome, reason,
         grants.at_ms AS granted_at_ms, requested_at_ms, attempts, origin, failures, coalesce(duration_s, 0) AS duration_s,
         coalesce(first_granted_at_ms, finished_at_ms, requested_at_ms) AS left_queue_at_ms
       FROM runs LEFT JOIN grants ON grants.token = runs.granted_token
       WHERE ${where.join(' AND ')} ORDER BY changed_at_ms DESC, runs.rowid DESC LIMIT ?`,
      [...values, limit],
    );
  }
}
