import { z } from 'zod';
import type { TestOutput } from '../../broker/contract/messages.ts';
import type { Point } from '../influx/points.ts';
import type { TestSystem } from '../results/busy-device.ts';
import { Measurement } from '../results/measurement.ts';
import type { Outcome, RunRecord } from '../run-record.ts';
import { jsonColumn } from './columns.ts';
import type { Database } from './database.ts';
import type { Moved } from './moved.ts';
import type { Outbox } from './outbox.ts';
import type { RawResults } from './raw-results.ts';
import type { Retry, Runs } from './runs.ts';

/** `time_ms` is when its test began: the grant of that attempt plus `started_ms`. */
export interface TimedMeasurement {
  measurement: Measurement;
  time_ms: number;
}

/** The end of a run. */
export interface Ending {
  outcome: Outcome;
  reason: string | null;
  /** Where it was measured last, or was to be. */
  server: string | null;
  finished_at_ms: number;
  duration_s: number;
  /** Throughput 0 for each planned test that was never measured, when the outcome asks for it. */
  zeros: TimedMeasurement[];
  /** The run's own point and those of its zeros; none without InfluxDB. */
  points: Point[];
}

/** The result of one attempt and what follows from it. */
export interface ResultWrite {
  run: string;
  token: number;
  at_ms: number;
  outputs: TestOutput[];
  /** What they have moved over the device's link. */
  moved_bytes: number;
  measurements: TimedMeasurement[];
  failures: RunRecord['failures'];
  warnings: string[];
  system: TestSystem[];
  /** Those of `measurements`; none without InfluxDB. */
  points: Point[];
  /** Null: the result of an earlier attempt, which came so late that it decides nothing. */
  change: { kind: 'final'; ending: Ending } | { kind: 'retry'; retry: Retry } | null;
}

const Measured = z.object({ measurement: jsonColumn(Measurement) });

/** Stores results and ends runs. One call is one transaction: all of it is on disk, or nothing. */
export class Results {
  readonly #database: Database;
  readonly #runs: Runs;
  readonly #moved: Moved;
  readonly #raw: RawResults;
  readonly #outbox: Outbox;

  constructor(database: Database, parts: { runs: Runs; moved: Moved; raw: RawResults; outbox: Outbox }) {
    this.#database = database;
    this.#runs = parts.runs;
    this.#moved = parts.moved;
    this.#raw = parts.raw;
    this.#outbox = parts.outbox;
  }

  /**
   * Stores the result of one attempt, once for each run and token, and drops its lease. When the run is already final
   * the measurements are added, and nothing else about it changes.
   */
  store(write: ResultWrite): 'stored' | 'duplicate' | 'unknown-run' {
    return this.#database.transaction(() => {
      const state = this.#runs.state(write.run);
      if (state === null) return 'unknown-run';
      const added = this.#database.run(
        'INSERT INTO results (run, token, failures, warnings, system) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING',
        [write.run, write.token, ...[write.failures, write.warnings, write.system].map((part) => JSON.stringify(part))],
      );
      if (added === 0) return 'duplicate';
      this.#moved.correct(write.token, write.moved_bytes);
      this.#raw.add(write);
      this.#addMeasurements(write.run, write.token, write.measurements);
      this.#outbox.add(write.points);
      this.#database.run('DELETE FROM leases WHERE token = ?', [write.token]);
      if (state !== 'final' && write.change !== null) {
        if (write.change.kind === 'final') this.#end(write.run, write.change.ending);
        else this.#runs.retry(write.run, write.change.retry, write.at_ms);
      }
      return 'stored';
    });
  }

  /**
   * Ends a run without a result; `failures` say why its tests were never measured. False, and nothing changes, when there is
   * no such run or it is already final.
   */
  finish(run: string, ending: Ending, failures: RunRecord['failures'] = []): boolean {
    return this.#database.transaction(() => {
      if ((this.#runs.state(run) ?? 'final') === 'final') return false;
      this.#end(run, ending, failures);
      return true;
    });
  }

  /** What was measured of a run so far, in the order of time. */
  measured(run: string): Measurement[] {
    const sql = 'SELECT measurement FROM measurements WHERE run = ? ORDER BY time_ms, id';
    return this.#database.all(Measured, sql, [run]).map((row) => row.measurement);
  }

  #addMeasurements(run: string, token: number | null, measurements: TimedMeasurement[]): void {
    this.#database.insert(
      'INSERT INTO measurements (run, token, time_ms, measurement)',
      measurements.map(({ measurement, time_ms }) => [run, token, time_ms, JSON.stringify(measurement)]),
    );
  }

  #end(run: string, ending: Ending, failures: RunRecord['failures'] = []): void {
    const { outcome, reason, server, finished_at_ms, duration_s, zeros, points } = ending;
    this.#database.run(
      `UPDATE runs SET state = 'final', awaits_result = 0, outcome = @outcome, reason = @reason, ended_on = @server, finished_at_ms = @finished_at_ms,
         duration_s = @duration_s, failures = @failures, changed_at_ms = @finished_at_ms WHERE run = @run`,
      { run, outcome, reason, server, finished_at_ms, duration_s, failures: JSON.stringify(failures) },
    );
    this.#addMeasurements(run, null, zeros);
    this.#outbox.add(points);
  }
}
