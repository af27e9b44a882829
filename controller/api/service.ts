import type { RunRecord } from '../run-record.ts';
import type { Progress, ProgressListener } from '../runs/progress.ts';
import type { Backfilled, BackfillOrder, Exported, InfluxView, Requeued } from './influx-views.ts';
import type { SuppressionOrder, WhatToResume } from './suppression-orders.ts';
import type {
  AlertView,
  Credentials,
  DeviceDetails,
  DeviceView,
  ExplainedRuleView,
  NewDevice,
  Problem,
  RawView,
  ReceiverTest,
  ReplayOrder,
  ReplayView,
  Resumed,
  RunOrder,
  ServerCheck,
  ServerView,
  StatusView,
  Suppressed,
  SuppressionView,
} from './views.ts';

/** An answer, or why there is none. */
export type Answer<T> = { ok: true; value: T } | { ok: false; problem: Problem };

/** Which runs to show: `since_ms` is milliseconds since 1970; newest first. */
export interface RecordFilter {
  device?: string;
  since_ms?: number;
  limit?: number;
}

/** What is on its way to InfluxDB, and what is stored as points. */
export interface InfluxService {
  status(): Answer<InfluxView>;
  retry(): Answer<Requeued>;
  backfill(order: BackfillOrder): Answer<Backfilled>;
  export(order: BackfillOrder): Exported;
}

/** What the HTTP API offers of a running controller. */
export interface Service {
  readonly influx: InfluxService;
  status(): StatusView;
  devices(): DeviceView[];
  device(device: string): Answer<DeviceDetails>;
  addDevice(device: NewDevice): Answer<Credentials>;
  removeDevice(device: string): Answer<{ device: string }>;
  servers(): ServerView[];
  checkServer(server: string): Promise<Answer<ServerCheck>>;
  suppressions(): SuppressionView[];
  suppress(order: SuppressionOrder): Answer<Suppressed>;
  resume(which: WhatToResume): Answer<Resumed>;
  /** Alerts that are pending or firing; with `all`, also those that were resolved. */
  alerts(filter: { all: boolean }): AlertView[];
  explainAlerts(device: string): Answer<ExplainedRuleView[]>;
  /** Goes on a piece at a time until `isGone` says that nobody waits for it any more. */
  replayAlerts(order: ReplayOrder, isGone: () => boolean): Promise<Answer<ReplayView>>;
  /** Sends a test to a receiver of alerts, and waits for its answer. */
  testReceiver(receiver: string): Promise<Answer<ReceiverTest>>;
  orderRun(order: RunOrder): Answer<{ run: string }>;
  cancelRun(run: string): Answer<{ run: string }>;
  record(run: string): Answer<RunRecord>;
  raw(run: string): Answer<RawView>;
  records(filter: RecordFilter): RunRecord[];
  /** The last word on a run that is not over. */
  progress(run: string): Progress | null;
  watch(listener: ProgressListener): () => void;
}
