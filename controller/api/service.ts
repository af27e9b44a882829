import type { RunRecord } from '../run-record.ts';
import type { Progress, ProgressListener } from '../runs/progress.ts';
import type { AlertView, ExplainedRuleView, ReplayOrder, ReplayView } from './alert-views.ts';
import type { Credentials, DeviceDetails, DeviceView, NewDevice } from './device-views.ts';
import type { Backfilled, BackfillOrder, Exported, InfluxView, Requeued } from './influx-views.ts';
import type { Problem } from './problem.ts';
import type { ReceiverTest } from './receiver-views.ts';
import type { RawView, RunOrder } from './run-views.ts';
import type { ServerCheck, ServerView } from './server-views.ts';
import type { StatusView } from './status-view.ts';
import type { SuppressionOrder, WhatToResume } from './suppression-orders.ts';
import type { Resumed, Suppressed, SuppressionView } from './suppression-views.ts';

/** An answer, or why there is none. */
export type Answer<T> = { ok: true; value: T } | { ok: false; problem: Problem };

/** Which runs to show: `since_ms` is milliseconds since 1970; newest first. */
export interface RecordFilter {
  device?: string;
  since_ms?: number;
  limit?: number;
}

export interface DeviceService {
  list(): DeviceView[];
  get(device: string): Answer<DeviceDetails>;
  add(device: NewDevice): Answer<Credentials>;
  remove(device: string): Answer<{ device: string }>;
}

export interface ServerService {
  list(): ServerView[];
  check(server: string): Promise<Answer<ServerCheck>>;
}

export interface RunService {
  order(order: RunOrder): Answer<{ run: string }>;
  cancel(run: string): Answer<{ run: string }>;
  record(run: string): Answer<RunRecord>;
  records(filter: RecordFilter): RunRecord[];
  raw(run: string): Answer<RawView>;
  /** The last word on a run that is not over. */
  progress(run: string): Progress | null;
  watch(listener: ProgressListener): () => void;
}

export interface SuppressionService {
  list(): SuppressionView[];
  suppress(order: SuppressionOrder): Answer<Suppressed>;
  resume(which: WhatToResume): Answer<Resumed>;
}

export interface AlertService {
  /** Alerts that are pending or firing; with `all`, also those that were resolved. */
  list(filter: { all: boolean }): AlertView[];
  /** All rules that are about a device. */
  explain(device: string): Answer<ExplainedRuleView[]>;
  /** Goes on a piece at a time until `isGone` says that nobody waits for it any more. */
  replay(order: ReplayOrder, isGone: () => boolean): Promise<Answer<ReplayView>>;
}

export interface ReceiverService {
  /** Sends a test to a receiver of alerts, and waits for its answer. */
  test(receiver: string): Promise<Answer<ReceiverTest>>;
  /** Sends again what a receiver has refused; null: what any has. */
  retry(receiver: string | null): Answer<Requeued>;
}

/** What is on its way to InfluxDB, and what is stored as points. */
export interface InfluxService {
  status(): Answer<InfluxView>;
  retry(): Answer<Requeued>;
  backfill(order: BackfillOrder): Answer<Backfilled>;
  export(order: BackfillOrder): Exported;
}

/**
 * What the HTTP API offers of a running controller, by subject. The views that it takes and gives (`*-views.ts`) are the JSON of the API and
 * of the commands' `--json`: the same thing looks the same everywhere.
 */
export interface Service {
  status(): StatusView;
  readonly devices: DeviceService;
  readonly servers: ServerService;
  readonly runs: RunService;
  readonly suppressions: SuppressionService;
  readonly alerts: AlertService;
  readonly receivers: ReceiverService;
  readonly influx: InfluxService;
}
