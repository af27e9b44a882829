import { randomBytes } from 'node:crypto';
import type { Clock } from '../broker/clock.ts';
import type { AlertDesk } from './alert-desk.ts';
import type { Alerts } from './alerts/alerts.ts';
import type { Deliveries } from './alerts/deliveries.ts';
import type { DeliveryStatus } from './alerts/delivery.ts';
import type { AlertOutcome } from './alerts/write.ts';
import { refusal } from './api/refusal.ts';
import type { Answer, InfluxService, RecordFilter, Service } from './api/service.ts';
import type { SuppressionOrder, WhatToResume } from './api/suppression-orders.ts';
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
} from './api/views.ts';
import type { Settings } from './config/settings.ts';
import { uciLines } from './credentials.ts';
import type { KillSwitch } from './kill-switch.ts';
import { newDeviceProblems } from './new-device-problems.ts';
import type { RunRecord } from './run-record.ts';
import { checkOfRun } from './runs/check-of-run.ts';
import type { Checks } from './runs/checks.ts';
import type { Dispatcher } from './runs/dispatcher.ts';
import { newRunId } from './runs/nights.ts';
import type { Progress, ProgressBoard, ProgressListener } from './runs/progress.ts';
import { monthStart } from './schedule/calendar.ts';
import { checkOf } from './schedule/check-of.ts';
import { serverCheck } from './server-check.ts';
import type { Slots } from './slots/slots.ts';
import type { DeviceRow } from './store/devices.ts';
import { StoreError } from './store/errors.ts';
import { hashPassword, newPassword } from './store/password.ts';
import type { Store } from './store/store.ts';

/** How long a run that a person asked for waits for its turn before it is `missed`. */
const DEMAND_WINDOW_MS = 3_600_000;

export interface FleetOptions {
  settings: () => Settings;
  store: Store;
  alerts: Alerts;
  onAlerts: (outcome: AlertOutcome) => void;
  slots: Slots;
  dispatcher: Dispatcher;
  checks: Checks;
  killSwitch: KillSwitch;
  influx: InfluxService;
  alertDesk: AlertDesk;
  board: ProgressBoard;
  deliveries: Deliveries;
  clock: Clock;
  /** What only the running controller knows about itself. */
  health: () => Pick<
    StatusView,
    'version' | 'in_charge' | 'broker_connected' | 'messages_dropped' | 'broker' | 'influx'
  >;
  /** Where agents find the broker. */
  brokerUrl: () => string;
  /** Ends the connections of a device that was removed. */
  disconnect: (device: string) => void;
}

const receiverView = ({ last_success_ms, ...status }: DeliveryStatus): ReceiverView => ({
  ...status,
  last_success: last_success_ms === null ? null : new Date(last_success_ms).toISOString(),
});

/** The fleet as the HTTP API offers it: devices, servers, runs. */
export class Fleet implements Service {
  readonly #options: FleetOptions;

  constructor(options: FleetOptions) {
    this.#options = options;
  }

  get influx(): InfluxService {
    return this.#options.influx;
  }

  status(): StatusView {
    const { store, slots, killSwitch, deliveries, health } = this.#options;
    const devices = store.devices.list();
    return {
      ...health(),
      devices: devices.length,
      devices_online: devices.filter(({ device }) => slots.isOnline(device)).length,
      runs_open: store.runs.countOpen(),
      suppressions: killSwitch.list().length,
      receivers: deliveries.status().map(receiverView),
    };
  }

  devices(): DeviceView[] {
    return this.#options.store.devices.list().map((row) => this.#view(row));
  }

  device(device: string): Answer<DeviceDetails> {
    const { store, settings, clock } = this.#options;
    const row = store.devices.get(device);
    if (row === null) return this.#unknownDevice(device);
    const { monthly_budget, timezone } = checkOfRun(row, settings(), store);
    const moved_this_month = store.moved.since(device, monthStart(clock.wall(), timezone));
    return { ok: true, value: { ...this.#view(row), moved_this_month, monthly_budget } };
  }

  /** Registers a device and issues its password, which is shown this once. */
  addDevice(device: NewDevice): Answer<Credentials> {
    const { store, settings, brokerUrl } = this.#options;
    const problems = newDeviceProblems(device, settings());
    if (problems.length > 0) return refusal('bad-request', `device ${device.device} can't be added`, problems);
    const password = newPassword(randomBytes);
    try {
      store.devices.add(device, hashPassword(password, randomBytes(16)));
    } catch (error) {
      if (!(error instanceof StoreError) || error.kind !== 'exists') throw error;
      return refusal('conflict', `device ${device.device} exists: remove it first to issue a new password`);
    }
    const uci = uciLines(device.device, password, brokerUrl());
    return { ok: true, value: { device: device.device, username: device.device, password, uci } };
  }

  /** The device's credentials stop working, its runs are cancelled, its stored runs stay. */
  removeDevice(device: string): Answer<{ device: string }> {
    const { store, dispatcher, alerts, onAlerts, clock, disconnect } = this.#options;
    if (store.devices.get(device) === null) return this.#unknownDevice(device);
    for (const run of store.runs.openOf(device)) dispatcher.cancel(run, 'the device was removed');
    store.atomically(() => {
      onAlerts(alerts.removeDevice(device, clock.wall()));
      store.devices.remove(device);
    });
    disconnect(device);
    return { ok: true, value: { device } };
  }

  servers(): ServerView[] {
    const { settings, slots } = this.#options;
    const views = new Map(slots.view().map((view) => [view.server, view]));
    return [...settings().servers.values()].map(({ server, host, port, host_group }) => {
      const { device = null, run = null, state = 'idle' } = views.get(server) ?? {};
      return { server, host, port, host_group, device, run, queued: slots.queued(server), state };
    });
  }

  /** Whether a server answers. The slots say whether it may be probed; nobody starts there meanwhile. */
  async checkServer(server: string): Promise<Answer<ServerCheck>> {
    const { settings, checks, dispatcher } = this.#options;
    const target = settings().servers.get(server);
    if (target === undefined) return this.#unknownServer(server);
    const checked = await checks.ask(server, (event) => dispatcher.handle(event));
    if (checked === null) return refusal('unavailable', 'the controller is stopping');
    return { ok: true, value: serverCheck(target, checked) };
  }

  suppressions(): SuppressionView[] {
    return this.#options.killSwitch.list();
  }

  suppress(order: SuppressionOrder): Answer<Suppressed> {
    return this.#options.killSwitch.suppress(order);
  }

  resume(which: WhatToResume): Answer<Resumed> {
    return this.#options.killSwitch.resume(which);
  }

  alerts(filter: { all: boolean }): AlertView[] {
    return this.#options.alertDesk.list(filter);
  }

  explainAlerts(device: string): Answer<ExplainedRuleView[]> {
    const value = this.#options.alertDesk.explain(device);
    return value === null ? this.#unknownDevice(device) : { ok: true, value };
  }

  replayAlerts(order: ReplayOrder, isGone: () => boolean): Promise<Answer<ReplayView>> {
    return this.#options.alertDesk.replay(order, isGone);
  }

  async testReceiver(receiver: string): Promise<Answer<ReceiverTest>> {
    const id = `test-${randomBytes(8).toString('hex')}`;
    const outcome = await this.#options.deliveries.test(receiver, id);
    if (outcome === null) {
      const known = [...this.#options.settings().receivers.keys()].join(', ') || 'none';
      return refusal('not-found', `there is no receiver ${receiver} in the configuration; known receivers: ${known}`);
    }
    const delivered = outcome.kind === 'delivered';
    const answer = delivered ? [outcome.answer, outcome.warning ?? []].flat().join('; ') : outcome.reason;
    return { ok: true, value: { receiver, id, delivered, answer } };
  }

  /**
   * A run now, with the tests of the device's check, also when its schedule is off. `before` gets the new id before
   * anything happens to the run.
   */
  orderRun({ device, server }: RunOrder, before: (run: string) => void = () => {}): Answer<{ run: string }> {
    const { store, settings, dispatcher, clock } = this.#options;
    const row = store.devices.get(device);
    if (row === null) return this.#unknownDevice(device);
    const organization = settings().organizations.get(row.organization);
    if (organization === undefined) {
      return refusal(
        'conflict',
        `organization ${row.organization} of device ${device} is not in the configuration any more`,
      );
    }
    if (server !== null && !settings().servers.has(server)) {
      return this.#unknownServer(server);
    }
    if (server === null && organization.servers.length === 0) {
      return refusal(
        'conflict',
        `organization ${row.organization} has no server: set organizations.${row.organization}.servers or default_servers`,
      );
    }
    const now = clock.wall();
    const run = newRunId();
    store.runs.add([
      {
        run,
        device,
        organization: row.organization,
        server,
        origin: 'demand',
        night: null,
        tests: checkOf(organization, row.tags).tests,
        requested_at_ms: now,
        not_before_ms: now,
        window_end_ms: now + DEMAND_WINDOW_MS,
      },
    ]);
    before(run);
    dispatcher.submit(run);
    return { ok: true, value: { run } };
  }

  cancelRun(run: string): Answer<{ run: string }> {
    const row = this.#options.store.runs.get(run);
    if (row === null) return refusal('not-found', `there is no run ${run}`);
    if (row.state === 'final') return refusal('conflict', `run ${run} is over`);
    this.#options.dispatcher.cancel(row, 'cancelled by a person');
    return { ok: true, value: { run } };
  }

  record(run: string): Answer<RunRecord> {
    const record = this.#options.store.records.get(run);
    return record === null ? refusal('not-found', `there is no run ${run}`) : { ok: true, value: record };
  }

  raw(run: string): Answer<RawView> {
    const { runs, raw } = this.#options.store;
    if (runs.get(run) === null) return refusal('not-found', `there is no run ${run}`);
    const attempts = raw.of(run).map(({ token, outputs }) => ({ token, tests: outputs }));
    return { ok: true, value: { run, attempts } };
  }

  records(filter: RecordFilter): RunRecord[] {
    return this.#options.store.records.list(filter);
  }

  progress(run: string): Progress | null {
    return this.#options.board.last(run) ?? null;
  }

  watch(listener: ProgressListener): () => void {
    return this.#options.board.watch(listener);
  }

  #unknownServer(server: string): { ok: false; problem: Problem } {
    const known = [...this.#options.settings().servers.keys()].join(', ') || 'none';
    return refusal('not-found', `server ${server} is not in the configuration; known servers: ${known}`);
  }

  #unknownDevice(device: string): { ok: false; problem: Problem } {
    return refusal('not-found', `there is no device ${device}; perfleet device list shows all`);
  }

  #view(row: DeviceRow): DeviceView {
    const { slots } = this.#options;
    const { device, organization, tags, uplink_group, agent, iperf3, last_run_ms } = row;
    const last_run = last_run_ms === null ? null : new Date(last_run_ms).toISOString();
    return {
      device,
      organization,
      tags,
      uplink_group,
      via: 'agent',
      online: slots.isOnline(device),
      agent,
      iperf3,
      last_run,
    };
  }
}
