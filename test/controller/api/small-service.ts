import type { TestPlan } from '../../../broker/contract/messages.ts';
import type { Answer, InfluxService, RecordFilter, Service } from '../../../controller/api/service.ts';
import type { SuppressionOrder, WhatToResume } from '../../../controller/api/suppression-orders.ts';
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
  ReceiverView,
  ReplayOrder,
  ReplayView,
  Resumed,
  RunOrder,
  ServerCheck,
  ServerView,
  StatusView,
  Suppressed,
  SuppressionView,
} from '../../../controller/api/views.ts';
import type { RunRecord } from '../../../controller/run-record.ts';
import type { Checked } from '../../../controller/runs/checks.ts';
import { type Progress, ProgressBoard, type ProgressListener } from '../../../controller/runs/progress.ts';
import { serverCheck } from '../../../controller/server-check.ts';

const refused = (error: Problem['error'], message: string): { ok: false; problem: Problem } => ({
  ok: false,
  problem: { error, message, problems: [] },
});

/** A TCP upload under this name. */
export const plan = (test: string, duration_s: number, omit_s = 0): TestPlan => ({
  test,
  protocol: 'tcp',
  direction: 'upload',
  duration_s,
  omit_s,
  streams: 1,
  bitrate: null,
  length: null,
  window: null,
  congestion: null,
});

/** A run as it looks when it is over and all went well; `changes` say what is different. */
export const runRecord = (changes: Partial<RunRecord> = {}): RunRecord => ({
  run: 'r-1',
  device: 'ap-12',
  organization: 'acme',
  server: 'milan-1',
  via: 'agent',
  outcome: 'success',
  reason: null,
  granted_at: '2026-11-22T02:00:01.250Z',
  queued_s: 1.2,
  duration_s: 31.4,
  attempts: 1,
  measurements: [
    {
      test: 'tcp-upload',
      protocol: 'tcp',
      direction: 'upload',
      bits_per_second: 94012345.6,
      bytes: 117515432,
      seconds: 10,
      retransmits: 3,
      rtt_ms: 4.2,
    },
    {
      test: 'tcp-download',
      protocol: 'tcp',
      direction: 'download',
      bits_per_second: 187654321,
      bytes: 234567901,
      seconds: 10,
      retransmits: 0,
      rtt_ms: 12.04,
    },
    {
      test: 'udp-upload',
      protocol: 'udp',
      direction: 'upload',
      bits_per_second: 75000000,
      bytes: 93750000,
      seconds: 10,
      jitter_ms: 0.0421,
      packets: 64000,
      lost_packets: 160,
      lost_percent: 0.25,
    },
  ],
  failures: [],
  warnings: [],
  ...changes,
});

/** A controller of the size that the API and the commands need: everything is in memory, and runs do what the test tells. */
export class SmallService implements Service {
  readonly board = new ProgressBoard();
  /** Nothing waits, and nothing is stored, unless a test says so. */
  influx: InfluxService = {
    status: () => refused('conflict', 'there is no influx section in the configuration'),
    retry: () => refused('conflict', 'there is no influx section in the configuration'),
    backfill: () => refused('conflict', 'there is no influx section in the configuration'),
    export: () => ({ runs: 0, lines: [], next: null }),
  };
  readonly orders: RunOrder[] = [];
  readonly filters: RecordFilter[] = [];
  readonly suppressionOrders: SuppressionOrder[] = [];
  readonly suppressed: SuppressionView[] = [];
  readonly list: DeviceView[] = [];
  readonly runs = new Map<string, RunRecord>();
  /** What iperf3 printed in every run. */
  attempts: RawView['attempts'] = [];
  readonly receivers: ReceiverView[] = [];
  readonly listedAlerts: AlertView[] = [];
  readonly explained: ExplainedRuleView[] = [];
  readonly replayOrders: ReplayOrder[] = [];
  replayed: Answer<ReplayView> = refused('bad-request', 'the rule was refused');
  monthly_budget: number | null = null;
  /** How many watch now. */
  watchers = 0;
  /** Called when a run was ordered: a test plays the agent here. */
  onOrder: (run: string) => unknown = () => {};

  status(): StatusView {
    return {
      version: '0.1.0',
      in_charge: true,
      broker_connected: true,
      devices: this.list.length,
      devices_online: 0,
      runs_open: 0,
      suppressions: this.suppressed.length,
      messages_dropped: 0,
      broker: null,
      influx: null,
      receivers: this.receivers,
    };
  }

  devices(): DeviceView[] {
    return this.list;
  }

  device(device: string): Answer<DeviceDetails> {
    const view = this.list.find((one) => one.device === device);
    if (view === undefined) return refused('not-found', `there is no device ${device}`);
    return { ok: true, value: { ...view, moved_this_month: 1_234_567_890, monthly_budget: this.monthly_budget } };
  }

  addDevice({ device, organization, tags, uplink_group }: NewDevice): Answer<Credentials> {
    if (this.device(device).ok) return refused('conflict', `there is a device ${device} already`);
    this.list.push({
      device,
      organization,
      tags,
      uplink_group,
      via: 'agent',
      online: false,
      agent: null,
      iperf3: null,
      last_run: null,
    });
    const uci = [
      'uci set perfleet.agent=agent',
      "uci set perfleet.agent.broker='mqtts://perf.example.net:8883'",
      `uci set perfleet.agent.device='${device}'`,
      "uci set perfleet.agent.password='s3cret'",
      "uci set perfleet.agent.ca='/etc/perfleet/ca.pem'",
      'uci commit perfleet',
    ];
    return { ok: true, value: { device, username: device, password: 's3cret', uci } };
  }

  removeDevice(device: string): Answer<{ device: string }> {
    const found = this.device(device);
    if (!found.ok) return found;
    this.list.splice(
      this.list.findIndex((one) => one.device === device),
      1,
    );
    return { ok: true, value: { device } };
  }

  servers(): ServerView[] {
    const milan = { server: 'milan-1', host: 'iperf1.example.net', port: 5201, host_group: 'milan' };
    const rome = { server: 'rome-1', host: '2001:db8::1', port: 5202, host_group: null };
    return [
      { ...milan, device: 'ap-12', run: 'r-1', queued: 2, state: 'leased' },
      { ...rome, device: null, run: null, queued: 0, state: 'idle' },
    ];
  }

  /** What `checkServer` finds, by server; others are not known. */
  readonly checks = new Map<string, Checked>();

  async checkServer(server: string): Promise<Answer<ServerCheck>> {
    const target = this.servers().find((one) => one.server === server);
    const checked = this.checks.get(server);
    if (target === undefined || checked === undefined) return refused('not-found', `there is no server ${server}`);
    return { ok: true, value: serverCheck(target, checked) };
  }

  suppressions(): SuppressionView[] {
    return this.suppressed;
  }

  suppress(order: SuppressionOrder): Answer<Suppressed> {
    this.suppressionOrders.push(order);
    const { what, until_ms, reason, stop_running } = order;
    const suppression = {
      scope: what.scope,
      name: what.scope === 'fleet' ? null : what.name,
      until: until_ms === null ? null : new Date(until_ms).toISOString(),
      reason,
      since: '2026-11-22T02:00:00.000Z',
    };
    this.suppressed.push(suppression);
    const warnings = what.scope === 'tag' ? [`no device has the tag ${what.name}`] : [];
    return { ok: true, value: { suppression, stopped: stop_running ? 2 : 0, warnings } };
  }

  resume(which: WhatToResume): Answer<Resumed> {
    const meant = ({ scope }: SuppressionView) => which.all || scope === which.what.scope;
    const resumed = this.suppressed.filter(meant);
    if (resumed.length === 0 && !which.all) return refused('not-found', 'it is not suppressed');
    this.suppressed.splice(0, this.suppressed.length, ...this.suppressed.filter((one) => !meant(one)));
    return { ok: true, value: { resumed } };
  }

  alerts({ all }: { all: boolean }): AlertView[] {
    return this.listedAlerts.filter(({ state }) => all || state !== 'resolved');
  }

  explainAlerts(device: string): Answer<ExplainedRuleView[]> {
    const found = this.device(device);
    return found.ok ? { ok: true, value: this.explained } : found;
  }

  async replayAlerts(order: ReplayOrder): Promise<Answer<ReplayView>> {
    this.replayOrders.push(order);
    return this.replayed;
  }

  async testReceiver(receiver: string): Promise<Answer<ReceiverTest>> {
    const found = this.receivers.find((one) => one.receiver === receiver);
    if (found === undefined) return refused('not-found', `there is no receiver ${receiver} in the configuration`);
    const delivered = found.last_error === null;
    return { ok: true, value: { receiver, id: 'test-1', delivered, answer: found.last_error ?? 'it answered 200' } };
  }

  orderRun(order: RunOrder): Answer<{ run: string }> {
    const found = this.device(order.device);
    if (!found.ok) return found;
    this.orders.push(order);
    const run = `r-${this.orders.length}`;
    const open = { server: null, via: null, outcome: null, granted_at: null, queued_s: 0, duration_s: 0, attempts: 0 };
    this.runs.set(run, runRecord({ run, device: order.device, ...open, measurements: [] }));
    this.onOrder(run);
    return { ok: true, value: { run } };
  }

  cancelRun(run: string): Answer<{ run: string }> {
    const found = this.record(run);
    if (!found.ok) return found;
    if (found.value.outcome !== null) return refused('conflict', `run ${run} is over already`);
    this.finish({ ...found.value, outcome: 'cancelled', reason: 'cancelled by a person' });
    return { ok: true, value: { run } };
  }

  record(run: string): Answer<RunRecord> {
    const value = this.runs.get(run);
    return value === undefined ? refused('not-found', `there is no run ${run}`) : { ok: true, value };
  }

  raw(run: string): Answer<RawView> {
    const found = this.record(run);
    return found.ok ? { ok: true, value: { run, attempts: this.attempts } } : found;
  }

  records(filter: RecordFilter): RunRecord[] {
    this.filters.push(filter);
    const all = [...this.runs.values()].filter(({ device }) => filter.device === undefined || device === filter.device);
    return all.slice(0, filter.limit);
  }

  progress(run: string): Progress | null {
    return this.board.last(run) ?? null;
  }

  watch(listener: ProgressListener): () => void {
    const unwatch = this.board.watch(listener);
    this.watchers += 1;
    let watching = true;
    return () => {
      unwatch();
      if (watching) this.watchers -= 1;
      watching = false;
    };
  }

  /** The run is over: stores its record and tells those who watch. */
  finish(record: RunRecord): void {
    this.runs.set(record.run, record);
    this.board.tell({ run: record.run, phase: 'final', at: '2026-11-22T02:00:40.000Z' });
  }
}
