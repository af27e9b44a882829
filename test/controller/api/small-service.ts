import type { AlertView, ExplainedRuleView, ReplayOrder, ReplayView } from '../../../controller/api/alert-views.ts';
import type { DeviceView } from '../../../controller/api/device-views.ts';
import type { Problem } from '../../../controller/api/problem.ts';
import type { ReceiverView } from '../../../controller/api/receiver-views.ts';
import type { RawView, RunOrder } from '../../../controller/api/run-views.ts';
import type {
  AlertService,
  Answer,
  DeviceService,
  HostKeyService,
  InfluxService,
  ReceiverService,
  RecordFilter,
  RunService,
  ServerService,
  Service,
  SshSettingsService,
  SuppressionService,
} from '../../../controller/api/service.ts';
import type { SshView } from '../../../controller/api/ssh-views.ts';
import type { StatusView } from '../../../controller/api/status-view.ts';
import type { SuppressionOrder } from '../../../controller/api/suppression-orders.ts';
import type { SuppressionView } from '../../../controller/api/suppression-views.ts';
import { serverCheck } from '../../../controller/desks/server-check.ts';
import type { RunRecord } from '../../../controller/run-record.ts';
import type { Checked } from '../../../controller/runs/checks.ts';
import { ProgressBoard } from '../../../controller/runs/progress.ts';
import { runRecord } from './sample-run.ts';

const refused = (error: Problem['error'], message: string): { ok: false; problem: Problem } => ({
  ok: false,
  problem: { error, message, problems: [] },
});

/** A controller of the size that the API and the commands need: everything is in memory, and runs do what the test tells. */
export class SmallService implements Service {
  readonly board = new ProgressBoard();
  readonly list: DeviceView[] = [];
  /** How devices are reached over SSH, by device. */
  readonly ssh = new Map<string, SshView>();
  monthly_budget: number | null = null;
  /** What a check of a server finds, by server; others are not known. */
  readonly checks = new Map<string, Checked>();
  readonly orders: RunOrder[] = [];
  /** Called when a run was ordered: a test plays the agent here. */
  onOrder: (run: string) => unknown = () => {};
  readonly stored = new Map<string, RunRecord>();
  readonly filters: RecordFilter[] = [];
  /** What iperf3 printed in every run. */
  attempts: RawView['attempts'] = [];
  /** How many watch now. */
  watchers = 0;
  readonly suppressionOrders: SuppressionOrder[] = [];
  readonly suppressed: SuppressionView[] = [];
  readonly listedAlerts: AlertView[] = [];
  readonly explained: ExplainedRuleView[] = [];
  readonly replayOrders: ReplayOrder[] = [];
  replayed: Answer<ReplayView> = refused('bad-request', 'the rule was refused');
  readonly listedReceivers: ReceiverView[] = [];

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
      receivers: this.listedReceivers,
    };
  }

  readonly devices: DeviceService = {
    list: () => this.list,
    get: (device) => {
      const view = this.list.find((one) => one.device === device);
      if (view === undefined) return refused('not-found', `there is no device ${device}`);
      return {
        ok: true,
        value: {
          ...view,
          ssh: this.ssh.get(device) ?? null,
          moved_this_month: 1_234_567_890,
          monthly_budget: this.monthly_budget,
        },
      };
    },
    add: ({ device, organization, tags, uplink_group }) => {
      if (this.devices.get(device).ok) return refused('conflict', `there is a device ${device} already`);
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
        "uci set perfleet.agent.tls_ca='/etc/perfleet/ca.pem'",
        'uci commit perfleet',
      ];
      const install = { opkg: 'opkg install …', apk: 'apk add …' };
      return { ok: true, value: { device, username: device, password: 's3cret', uci, install } };
    },
    check: () => ({ problems: [] }),
    addAll: (devices) => {
      const added = devices
        .map((device) => this.devices.add(device))
        .flatMap((answer) => (answer.ok ? answer.value : []));
      return { ok: true, value: { devices: added.map(({ uci: _, install: __, ...credentials }) => credentials) } };
    },
    remove: (device) => {
      const found = this.devices.get(device);
      if (!found.ok) return found;
      this.list.splice(
        this.list.findIndex((one) => one.device === device),
        1,
      );
      return { ok: true, value: { device } };
    },
  };

  readonly hostKeys: HostKeyService = {
    fetch: async () => refused('unavailable', 'device-unreachable: nobody is there'),
    trust: (device) => refused('not-found', `there is no device ${device}`),
  };

  readonly sshSettings: SshSettingsService = {
    set: (device) => refused('not-found', `there is no device ${device}`),
    clear: (device) => refused('conflict', `a run of ${device} is under way over SSH`),
  };

  readonly servers: ServerService = {
    list: () => {
      const milan = { server: 'milan-1', host: 'iperf1.example.net', port: 5201, host_group: 'milan' };
      const rome = { server: 'rome-1', host: '2001:db8::1', port: 5202, host_group: null };
      return [
        { ...milan, device: 'ap-12', run: 'r-1', queued: 2, state: 'leased' },
        { ...rome, device: null, run: null, queued: 0, state: 'idle' },
      ];
    },
    check: async (server) => {
      const target = this.servers.list().find((one) => one.server === server);
      const checked = this.checks.get(server);
      if (target === undefined || checked === undefined) return refused('not-found', `there is no server ${server}`);
      return { ok: true, value: serverCheck(target, checked) };
    },
  };

  readonly runs: RunService = {
    order: (order) => {
      const found = this.devices.get(order.device);
      if (!found.ok) return found;
      this.orders.push(order);
      const run = `r-${this.orders.length}`;
      const open = {
        server: null,
        via: null,
        outcome: null,
        granted_at: null,
        queued_s: 0,
        duration_s: 0,
        attempts: 0,
      };
      this.stored.set(run, runRecord({ run, device: order.device, ...open, measurements: [] }));
      this.onOrder(run);
      return { ok: true, value: { run } };
    },
    cancel: (run) => {
      const found = this.runs.record(run);
      if (!found.ok) return found;
      if (found.value.outcome !== null) return refused('conflict', `run ${run} is over already`);
      this.finish({ ...found.value, outcome: 'cancelled', reason: 'cancelled by a person' });
      return { ok: true, value: { run } };
    },
    record: (run) => {
      const value = this.stored.get(run);
      return value === undefined ? refused('not-found', `there is no run ${run}`) : { ok: true, value };
    },
    records: (filter) => {
      this.filters.push(filter);
      const all = [...this.stored.values()].filter(
        ({ device }) => filter.device === undefined || device === filter.device,
      );
      return all.slice(0, filter.limit);
    },
    raw: (run) => {
      const found = this.runs.record(run);
      return found.ok ? { ok: true, value: { run, attempts: this.attempts } } : found;
    },
    progress: (run) => this.board.last(run) ?? null,
    watch: (listener) => {
      const unwatch = this.board.watch(listener);
      this.watchers += 1;
      let watching = true;
      return () => {
        unwatch();
        if (watching) this.watchers -= 1;
        watching = false;
      };
    },
  };

  readonly suppressions: SuppressionService = {
    list: () => this.suppressed,
    suppress: (order) => {
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
    },
    resume: (which) => {
      const meant = ({ scope }: SuppressionView) => which.all || scope === which.what.scope;
      const resumed = this.suppressed.filter(meant);
      if (resumed.length === 0 && !which.all) return refused('not-found', 'it is not suppressed');
      this.suppressed.splice(0, this.suppressed.length, ...this.suppressed.filter((one) => !meant(one)));
      return { ok: true, value: { resumed } };
    },
  };

  readonly alerts: AlertService = {
    list: async ({ all, limit }) => {
      const found = this.listedAlerts.filter(({ state }) => all || state !== 'resolved');
      return { alerts: found.slice(0, limit), more: found.length > limit };
    },
    explain: (device) => {
      const found = this.devices.get(device);
      return found.ok ? { ok: true, value: this.explained } : found;
    },
    replay: async (order) => {
      this.replayOrders.push(order);
      return this.replayed;
    },
  };

  readonly receivers: ReceiverService = {
    test: async (receiver) => {
      const found = this.listedReceivers.find((one) => one.receiver === receiver);
      if (found === undefined) return refused('not-found', `there is no receiver ${receiver} in the configuration`);
      const delivered = found.last_error === null;
      return { ok: true, value: { receiver, id: 'test-1', delivered, answer: found.last_error ?? 'it answered 200' } };
    },
    retry: (receiver) => {
      const found = this.listedReceivers.filter((one) => receiver === null || one.receiver === receiver);
      if (receiver !== null && found.length === 0)
        return refused('not-found', `there is no receiver ${receiver} in the configuration`);
      return { ok: true, value: { requeued: found.reduce((count, { set_aside }) => count + set_aside, 0) } };
    },
  };

  /** Nothing waits, and nothing is stored, unless a test says so. */
  influx: InfluxService = {
    status: () => refused('conflict', 'there is no influx section in the configuration'),
    retry: () => refused('conflict', 'there is no influx section in the configuration'),
    backfill: () => refused('conflict', 'there is no influx section in the configuration'),
    export: () => ({ runs: 0, lines: [], next: null }),
  };

  /** The run is over: stores its record and tells those who watch. */
  finish(record: RunRecord): void {
    this.stored.set(record.run, record);
    this.board.tell({ run: record.run, phase: 'final', at: '2026-11-22T02:00:40.000Z' });
  }
}
