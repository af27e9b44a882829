import type { RunRecord } from '../run-record.ts';
import type { Progress, ProgressListener } from '../runs/progress.ts';
import type { AlertView, ExplainedRuleView, ReplayOrder, ReplayView } from './alert-views.ts';
import type {
  Credentials,
  DeviceDetails,
  DevicesAdded,
  DevicesChecked,
  DeviceToCheck,
  DeviceView,
  NewDevice,
} from './device-views.ts';
import type { Backfilled, BackfillOrder, Exported, InfluxView, Requeued } from './influx-views.ts';
import type { Problem } from './problem.ts';
import type { ReceiverTest } from './receiver-views.ts';
import type { RawView, RunOrder } from './run-views.ts';
import type { ServerCheck, ServerView } from './server-views.ts';
import type { HostKeyOrder, HostKeyView, NewSsh, SshView, Trust } from './ssh-views.ts';
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
  /** What keeps these devices from being added together. */
  check(devices: readonly DeviceToCheck[]): DevicesChecked;
  /** All of them, or none. */
  addAll(devices: readonly NewDevice[]): Answer<DevicesAdded>;
  remove(device: string): Answer<{ device: string }>;
}

/** The host keys that devices may show over SSH. */
export interface HostKeyService {
  /** Asks an SSH server for its key; nothing else is said to it. */
  fetch(order: HostKeyOrder): Promise<Answer<HostKeyView>>;
  /** Pins the key that a device may show from now on. */
  trust(device: string, trust: Trust): Answer<SshView>;
}

/** How registered devices are reached over SSH; refused while a run of the device is under way over it. */
export interface SshSettingsService {
  set(device: string, ssh: NewSsh): Answer<SshView>;
  /** Only its agent reaches it from now on. */
  clear(device: string): Answer<{ device: string }>;
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

/** Which alerts to show: those that are pending or firing or, with `all`, also those that were resolved; at most `limit`. */
export interface AlertFilter {
  all: boolean;
  limit: number;
}

/** Devices before servers, by name. `more`: there are others than these. */
export interface AlertList {
  alerts: AlertView[];
  more: boolean;
}

export interface AlertService {
  list(filter: AlertFilter): Promise<AlertList>;
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
  readonly hostKeys: HostKeyService;
  readonly sshSettings: SshSettingsService;
  readonly servers: ServerService;
  readonly runs: RunService;
  readonly suppressions: SuppressionService;
  readonly alerts: AlertService;
  readonly receivers: ReceiverService;
  readonly influx: InfluxService;
}
