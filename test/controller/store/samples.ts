import type { TestPlan } from '../../../broker/contract/messages.ts';
import { measurementPoint } from '../../../controller/influx/points.ts';
import type { Measurement } from '../../../controller/results/measurement.ts';
import type { LeaseRow } from '../../../controller/store/leases.ts';
import type { Ending, ResultWrite } from '../../../controller/store/results.ts';
import type { Grant, NewRun } from '../../../controller/store/runs.ts';
import { testPlan } from '../../helpers/test-plan.ts';

export const T0 = Date.UTC(2026, 10, 22, 2);

export const plan = (test: string): TestPlan => testPlan({ test });

export const newRun = (run: string, changes: Partial<NewRun> = {}): NewRun => ({
  run,
  device: 'ap-12',
  organization: 'acme',
  server: null,
  origin: 'demand',
  night: null,
  tests: [plan('tcp-upload')],
  requested_at_ms: T0,
  not_before_ms: T0,
  window_end_ms: T0 + 3_600_000,
  ...changes,
});

export const grant = (run: string, token: number, changes: Partial<Grant> = {}): Grant => ({
  run,
  token,
  server: 'milan-1',
  via: 'agent',
  at_ms: T0 + 1250,
  tests: [plan('tcp-upload')],
  ...changes,
});

export const lease = (token: number, changes: Partial<LeaseRow> = {}): LeaseRow => ({
  token,
  run: 'r-1',
  device: 'ap-12',
  server: 'milan-1',
  endpoint: `${changes.server ?? 'milan-1'}:5201`,
  nonce: 'n-1',
  boot: 'b-1',
  lease_ms: 25_000,
  granted: false,
  tests: [plan('tcp-upload')],
  ...changes,
});

export const measurement = (changes: Partial<Measurement> = {}): Measurement => ({
  test: 'tcp-upload',
  protocol: 'tcp',
  direction: 'upload',
  bits_per_second: 94_000_000,
  bytes: 117_500_000,
  seconds: 10,
  retransmits: 3,
  ...changes,
});

export const point = (time_ms = T0) =>
  measurementPoint({ device: 'ap-12', organization: 'acme', server: 'milan-1' }, measurement(), time_ms);

export const ending = (changes: Partial<Ending> = {}): Ending => ({
  outcome: 'success',
  reason: null,
  server: 'milan-1',
  finished_at_ms: T0 + 12_000,
  duration_s: 10.5,
  zeros: [],
  points: [],
  ...changes,
});

/** The result of the only attempt of a run, which ends it well. */
export const resultWrite = (run: string, token: number, changes: Partial<ResultWrite> = {}): ResultWrite => ({
  run,
  token,
  at_ms: T0 + 12_000,
  outputs: [{ test: 'tcp-upload', exit_code: 0, stdout: '{}', stderr: '', started_ms: 12, ended_ms: 10_500 }],
  moved_bytes: 118_000_000,
  measurements: [{ measurement: measurement(), time_ms: T0 + 1262 }],
  failures: [],
  warnings: [],
  system: [],
  points: [],
  change: { kind: 'final', ending: ending() },
  ...changes,
});
