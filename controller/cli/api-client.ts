import { z } from 'zod';
import type { Clock } from '../../broker/clock.ts';
import { AlertView, ExplainedRuleView, type ReplayOrder, ReplayView } from '../api/alert-views.ts';
import {
  Credentials,
  DeviceDetails,
  DevicesAdded,
  DevicesChecked,
  type DeviceToCheck,
  DeviceView,
  type NewDevice,
} from '../api/device-views.ts';
import { Backfilled, Exported, InfluxView, Requeued } from '../api/influx-views.ts';
import { MORE_HEADER } from '../api/list-limit.ts';
import { Problem } from '../api/problem.ts';
import { ReceiverTest } from '../api/receiver-views.ts';
import { ProgressView, RawView } from '../api/run-views.ts';
import { ServerCheck, ServerView } from '../api/server-views.ts';
import { type HostKeyOrder, HostKeyView, type NewSsh, SshView } from '../api/ssh-views.ts';
import { StatusView } from '../api/status-view.ts';
import { Resumed, Suppressed, SuppressionView } from '../api/suppression-views.ts';
import { RunRecord } from '../run-record.ts';
import type { SuppressionScope } from '../schedule/suppression.ts';
import { ApiLine } from './api-line.ts';
import { readEvents } from './event-stream.ts';
import { CommandFailure } from './failure.ts';
import type { ControllerAddress } from './find-controller.ts';

/** … but for a replay, which reads the history of all devices. */
const REPLAY_TIMEOUT_MS = 600_000;

/** … and a host key, which waits for its turn among the controller's handshakes, and for each jump host. */
const HOST_KEY_TIMEOUT_MS = 180_000;

/** Talks to a controller over HTTP. Every method throws CommandFailure with what the controller says is wrong. */
export class ApiClient {
  readonly #line: ApiLine;

  constructor(address: ControllerAddress, clock: Clock) {
    this.#line = new ApiLine(address, clock);
  }

  devices(): Promise<DeviceView[]> {
    return this.#line.json('GET', 'devices', z.array(DeviceView));
  }

  device(device: string): Promise<DeviceDetails> {
    return this.#line.json('GET', `devices/${encodeURIComponent(device)}`, DeviceDetails);
  }

  addDevice(device: z.input<typeof NewDevice>): Promise<Credentials> {
    return this.#line.json('POST', 'devices', Credentials, device);
  }

  checkDevices(devices: z.input<typeof DeviceToCheck>[]): Promise<DevicesChecked> {
    return this.#line.json('POST', 'devices/check', DevicesChecked, { devices });
  }

  /** All of them, or none. */
  addDevices(devices: z.input<typeof NewDevice>[]): Promise<DevicesAdded> {
    return this.#line.json('POST', 'devices/import', DevicesAdded, { devices });
  }

  /** The key that an SSH server shows the controller, or why it shows none. */
  async hostKey(order: HostKeyOrder): Promise<{ ok: true; key: HostKeyView } | { ok: false; problem: string }> {
    const answer = await this.#line.ask('POST', 'host-keys', order, HOST_KEY_TIMEOUT_MS);
    if (answer.ok) return { ok: true, key: this.#line.parsed(HostKeyView, await this.#line.bodyOf(answer)) };
    if (answer.status !== 400 && answer.status !== 503) return this.#line.refused(answer);
    return { ok: false, problem: this.#line.parsed(Problem, await this.#line.bodyOf(answer)).message };
  }

  setSsh(device: string, ssh: z.input<typeof NewSsh>): Promise<SshView> {
    return this.#line.json('PUT', `devices/${encodeURIComponent(device)}/ssh`, SshView, ssh);
  }

  clearSsh(device: string): Promise<{ device: string }> {
    return this.#line.json('DELETE', `devices/${encodeURIComponent(device)}/ssh`, z.object({ device: z.string() }));
  }

  trust(device: string, host_key: string): Promise<SshView> {
    return this.#line.json('PUT', `devices/${encodeURIComponent(device)}/host-key`, SshView, { host_key });
  }

  removeDevice(device: string): Promise<{ device: string }> {
    return this.#line.json('DELETE', `devices/${encodeURIComponent(device)}`, z.object({ device: z.string() }));
  }

  servers(): Promise<ServerView[]> {
    return this.#line.json('GET', 'servers', z.array(ServerView));
  }

  /** Whether it answers: the controller probes it, unless somebody may be measuring there. Takes up to 3 s. */
  checkServer(server: string): Promise<ServerCheck> {
    return this.#line.json('POST', `servers/${encodeURIComponent(server)}/check`, ServerCheck);
  }

  suppressions(): Promise<SuppressionView[]> {
    return this.#line.json('GET', 'suppressions', z.array(SuppressionView));
  }

  /** `until` is RFC 3339, `for` a length from the controller's now. */
  suppress(
    order: SuppressionScope & { until?: string; for?: string; reason?: string; stop_running: boolean },
  ): Promise<Suppressed> {
    return this.#line.json('POST', 'suppressions', Suppressed, order);
  }

  resume(which: SuppressionScope | { all: 'true' }): Promise<Resumed> {
    return this.#line.json('DELETE', `suppressions?${new URLSearchParams({ ...which })}`, Resumed);
  }

  influx(): Promise<InfluxView> {
    return this.#line.json('GET', 'influx', InfluxView);
  }

  retryInflux(): Promise<Requeued> {
    return this.#line.json('POST', 'influx/retry', Requeued);
  }

  /** One page. `since` and `until` are RFC 3339 or durations back from the controller's now. */
  backfill(range: { since: string; until: string; after?: string }): Promise<Backfilled> {
    return this.#line.json('POST', 'influx/backfill', Backfilled, range);
  }

  /** One page, likewise. */
  export(range: { since: string; until: string; device?: string; after?: string }): Promise<Exported> {
    return this.#line.json('GET', `export?${new URLSearchParams(range)}`, Exported);
  }

  status(): Promise<StatusView> {
    return this.#line.json('GET', 'status', StatusView);
  }

  /** At most `limit`; `more`: there are others. */
  async alerts(filter: { all?: string; limit?: string }): Promise<{ alerts: AlertView[]; more: boolean }> {
    const answer = await this.#line.ask('GET', `alerts?${new URLSearchParams(filter)}`);
    if (!answer.ok) return this.#line.refused(answer);
    const alerts = this.#line.parsed(z.array(AlertView), await this.#line.bodyOf(answer));
    return { alerts, more: answer.headers.get(MORE_HEADER) === 'true' };
  }

  explainAlerts(device: string): Promise<ExplainedRuleView[]> {
    return this.#line.json('GET', `devices/${encodeURIComponent(device)}/alerts`, z.array(ExplainedRuleView));
  }

  replayAlerts(order: ReplayOrder): Promise<ReplayView> {
    return this.#line.json('POST', 'alerts/replay', ReplayView, order, REPLAY_TIMEOUT_MS);
  }

  /** Null: those of all receivers. */
  retryNotices(receiver: string | null): Promise<Requeued> {
    return this.#line.json(
      'POST',
      `receivers/${receiver === null ? '' : `${encodeURIComponent(receiver)}/`}retry`,
      Requeued,
    );
  }

  testReceiver(receiver: string): Promise<ReceiverTest> {
    return this.#line.json('POST', `receivers/${encodeURIComponent(receiver)}/test`, ReceiverTest);
  }

  /** Newest first. `since` is RFC 3339 or a duration back from the controller's now. */
  runs(filter: { device?: string; since?: string; limit?: string }): Promise<RunRecord[]> {
    return this.#line.json('GET', `runs?${new URLSearchParams(filter)}`, z.array(RunRecord));
  }

  run(run: string): Promise<RunRecord> {
    return this.#line.json('GET', `runs/${encodeURIComponent(run)}`, RunRecord);
  }

  /** What iperf3 printed in the run, as far as it is still kept. */
  raw(run: string): Promise<RawView> {
    return this.#line.json('GET', `runs/${encodeURIComponent(run)}/raw`, RawView);
  }

  orderRun(order: { device: string; server: string | null }): Promise<{ run: string }> {
    return this.#line.json('POST', 'runs', z.object({ run: z.string() }), order);
  }

  cancelRun(run: string): Promise<{ run: string }> {
    return this.#line.json('DELETE', `runs/${encodeURIComponent(run)}`, z.object({ run: z.string() }));
  }

  /** What happens to a run until it is over; throws Unreachable when the line breaks before. */
  async *events(run: string): AsyncGenerator<ProgressView> {
    const answer = await this.#line.ask('GET', `runs/${encodeURIComponent(run)}/events`);
    if (!answer.ok || answer.body === null) await this.#line.refused(answer);
    else {
      try {
        for await (const data of readEvents(answer.body)) yield this.#line.parsed(ProgressView, JSON.parse(data));
      } catch (cause) {
        throw cause instanceof CommandFailure ? cause : this.#line.unreachable(cause);
      }
    }
  }
}
