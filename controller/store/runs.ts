import { z } from 'zod';
import { TestPlan } from '../../broker/contract/messages.ts';
import { FailureClass } from '../results/measurement.ts';
import { Outcome, RunRecord } from '../run-record.ts';
import { jsonColumn, repeatedJson } from './columns.ts';
import type { Database } from './database.ts';

/** All runs of a check have the same tests: they are read once. */
const Plans = repeatedJson(z.array(TestPlan));
const Via = z.enum(['agent', 'ssh']);

/**
 * One run. `open` until it ends or its deadline passes; `overdue` while only its result is awaited; `final` for ever.
 * The `granted_` columns are of its latest grant, null before the first.
 */
const RunRow = z.object({
  run: z.string(),
  device: z.string(),
  organization: z.string(),
  /** The server that was asked for; null: any of the organization's. */
  server: z.string().nullable(),
  /** `retest`: an alert waits for it. It is handled as one that a person asked for. */
  origin: z.enum(['demand', 'schedule', 'retest']),
  /** Which occurrence of the schedule it belongs to; null of any other run. */
  night: z.string().nullable(),
  /** All of its tests. */
  plan: Plans,
  /** Still to be measured. */
  tests: Plans,
  requested_at_ms: z.number(),
  not_before_ms: z.number(),
  window_end_ms: z.number(),
  attempts: z.int(),
  failed_attempts: jsonColumn(z.partialRecord(FailureClass, z.int())),
  /** Of the last attempt, when it had no result that says so. */
  failures: jsonColumn(RunRecord.shape.failures),
  first_granted_at_ms: z.number().nullable(),
  granted_token: z.int().nullable(),
  /** Its latest grant has begun, as far as we know, and its result has not come yet. */
  awaits_result: z.int().transform((value) => value !== 0),
  granted_server: z.string().nullable(),
  granted_via: Via.nullable(),
  granted_at_ms: z.number().nullable(),
  granted_tests: Plans.nullable(),
  state: z.enum(['open', 'overdue', 'final']),
  overdue_at_ms: z.number().nullable(),
  outcome: Outcome.nullable(),
  reason: z.string().nullable(),
  finished_at_ms: z.number().nullable(),
  duration_s: z.number().nullable(),
});
export type RunRow = z.infer<typeof RunRow>;

const StateRow = RunRow.pick({ state: true });

/** What is known of a run when it is asked for. */
export type NewRun = Pick<
  RunRow,
  | 'run'
  | 'device'
  | 'organization'
  | 'server'
  | 'origin'
  | 'night'
  | 'tests'
  | 'requested_at_ms'
  | 'not_before_ms'
  | 'window_end_ms'
>;

/** What changes about a run that goes back into the queue after an attempt. */
export type Retry = Pick<RunRow, 'not_before_ms' | 'tests' | 'failed_attempts'> & Partial<Pick<RunRow, 'failures'>>;

const Grant = z.object({
  token: z.int(),
  run: z.string(),
  server: z.string(),
  via: Via,
  at_ms: z.number(),
  tests: Plans,
});
export type Grant = z.infer<typeof Grant>;

const SELECT_RUN = `SELECT runs.*, grants.server AS granted_server, grants.via AS granted_via, grants.at_ms AS granted_at_ms,
  grants.tests AS granted_tests FROM runs LEFT JOIN grants ON grants.token = runs.granted_token`;

/** Runs from request to grant; results.ts ends them. */
export class Runs {
  readonly #database: Database;
  #prunedBefore_ms = 0;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Runs that ended before this may have been forgotten since the start. */
  get prunedBefore_ms(): number {
    return this.#prunedBefore_ms;
  }

  /**
   * Adds all that are new, in one transaction, and returns their ids. A device has one run a night in an organization:
   * asking twice for the same night, or for the same run, adds nothing.
   */
  add(runs: readonly NewRun[]): string[] {
    // The runs of a night share their tests: written as JSON once.
    const texts = new Map<TestPlan[], string>();
    const insert = (run: NewRun): boolean => {
      const text = texts.get(run.tests) ?? JSON.stringify(run.tests);
      texts.set(run.tests, text);
      return this.#insert(run, text) > 0;
    };
    return this.#database.transaction(() => runs.filter(insert).map((run) => run.run));
  }

  #insert(run: NewRun, tests: string): number {
    return this.#database.run(
      `INSERT INTO runs (run, device, organization, server, origin, night, plan, tests, requested_at_ms, not_before_ms,
         window_end_ms, changed_at_ms)
       VALUES (@run, @device, @organization, @server, @origin, @night, @tests, @tests, @requested_at_ms, @not_before_ms,
         @window_end_ms, @requested_at_ms) ON CONFLICT DO NOTHING`,
      { ...run, tests },
    );
  }

  /** Those that are not final, in the order in which they were added. */
  open(): RunRow[] {
    return this.#database.all(RunRow, `${SELECT_RUN} WHERE state <> 'final' ORDER BY runs.rowid`);
  }

  get(run: string): RunRow | null {
    return this.#database.get(RunRow, `${SELECT_RUN} WHERE runs.run = ?`, [run]);
  }

  /** Null when there is no such run. */
  state(run: string): RunRow['state'] | null {
    return this.#database.get(StateRow, 'SELECT state FROM runs WHERE run = ?', [run])?.state ?? null;
  }

  /** When and where the attempt with this token was granted. */
  grant(token: number): Grant | null {
    return this.#database.get(Grant, 'SELECT * FROM grants WHERE token = ?', [token]);
  }

  /**
   * Writes down that a run now holds a slot: one more attempt, and its lease is granted, in one transaction.
   * The same token counts once; false when it was known. A final run stays as it is.
   */
  noteGrant(grant: Grant): boolean {
    return this.#database.transaction(() => {
      this.#database.run('UPDATE leases SET granted = 1 WHERE token = ?', [grant.token]);
      const added = this.#database.run(
        `INSERT INTO grants (token, run, server, via, at_ms, tests) VALUES (@token, @run, @server, @via, @at_ms, @tests)
         ON CONFLICT DO NOTHING`,
        { ...grant, tests: JSON.stringify(grant.tests) },
      );
      if (added === 0) return false;
      this.#database.run(
        `UPDATE runs SET attempts = attempts + 1, granted_token = @token, awaits_result = 1, changed_at_ms = @at_ms,
           first_granted_at_ms = coalesce(first_granted_at_ms, @at_ms)
         WHERE run = @run AND state <> 'final'`,
        { run: grant.run, token: grant.token, at_ms: grant.at_ms },
      );
      return true;
    });
  }

  /** Its deadline passed, only its result is awaited. False when it was not open. */
  setOverdue(run: string, at_ms: number): boolean {
    return (
      this.#database.run(`UPDATE runs SET state = 'overdue', overdue_at_ms = ? WHERE run = ? AND state = 'open'`, [
        at_ms,
        run,
      ]) > 0
    );
  }

  /** After an attempt without success the run waits again, for the tests that are left. */
  retry(run: string, { not_before_ms, tests, failed_attempts, failures = [] }: Retry, at_ms: number): void {
    this.#database.run(
      `UPDATE runs SET state = 'open', overdue_at_ms = NULL, awaits_result = 0, not_before_ms = @not_before_ms,
         tests = @tests, failed_attempts = @failed_attempts, failures = @failures, changed_at_ms = @at_ms
       WHERE run = @run AND state <> 'final'`,
      {
        run,
        at_ms,
        not_before_ms,
        tests: JSON.stringify(tests),
        failed_attempts: JSON.stringify(failed_attempts),
        failures: JSON.stringify(failures),
      },
    );
  }

  /** The run waits again, and no result will come for its last grant: its agent never began, and moved nothing. */
  noteRequeued(run: string): void {
    const waits = `run = ? AND state = 'open' AND awaits_result = 1`;
    this.#database.transaction(() => {
      this.#database.run(`DELETE FROM moved WHERE token = (SELECT granted_token FROM runs WHERE ${waits})`, [run]);
      this.#database.run(`UPDATE runs SET awaits_result = 0 WHERE ${waits}`, [run]);
    });
  }

  /** The run waits again, overdue or not, and no result will come for its last grant: it was cut off, and what it moved counts. */
  noteCutOff(run: string): void {
    const waits = `state = 'open', overdue_at_ms = NULL, awaits_result = 0`;
    this.#database.run(`UPDATE runs SET ${waits} WHERE run = ? AND state <> 'final'`, [run]);
  }

  /** Those that were granted at `before_ms` or earlier and whose result has not come yet. */
  awaited(before_ms: number): RunRow[] {
    const where = `state <> 'final' AND awaits_result = 1 AND grants.at_ms <= ?`;
    return this.#database.all(RunRow, `${SELECT_RUN} WHERE ${where} ORDER BY runs.rowid`, [before_ms]);
  }

  /** Those of one device that are not final. */
  openOf(device: string): RunRow[] {
    return this.#database.all(RunRow, `${SELECT_RUN} WHERE state <> 'final' AND device = ? ORDER BY runs.rowid`, [
      device,
    ]);
  }

  /**
   * Forgets final runs that ended before, with all that hangs on them: at most `limit`. What devices have moved stays, and so does what is on
   * its way to InfluxDB. Returns how many.
   */
  prune(before_ms: number, limit: number): number {
    const old = `SELECT run FROM runs WHERE changed_at_ms < ? AND state = 'final' ORDER BY changed_at_ms LIMIT ?`;
    const runs = this.#database.all(z.object({ run: z.string() }), old, [before_ms, limit]).map(({ run }) => run);
    const ids = [JSON.stringify(runs)];
    this.#prunedBefore_ms = Math.max(this.#prunedBefore_ms, before_ms);
    return this.#database.transaction(() => {
      for (const table of ['results', 'measurements', 'raw_results', 'grants', 'runs']) {
        this.#database.run(`DELETE FROM ${table} WHERE run IN (SELECT value FROM json_each(?))`, ids);
      }
      return runs.length;
    });
  }

  /** How many are not final. */
  countOpen(): number {
    const row = z.object({ count: z.int() });
    const counted = this.#database.all(row, `SELECT count(*) AS count FROM runs WHERE state <> 'final'`, []);
    return counted.reduce((sum, { count }) => sum + count, 0);
  }
}
