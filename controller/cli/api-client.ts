import { z } from 'zod';
import type { Clock } from '../../broker/clock.ts';
import { AlertView, ExplainedRuleView, type ReplayOrder, ReplayView } from '../api/alert-views.ts';
import { Credentials, DeviceDetails, DeviceView, type NewDevice } from '../api/device-views.ts';
import { Backfilled, Exported, InfluxView, Requeued } from '../api/influx-views.ts';
import { Problem } from '../api/problem.ts';
import { ReceiverTest } from '../api/receiver-views.ts';
import { ProgressView, RawView } from '../api/run-views.ts';
import { ServerCheck, ServerView } from '../api/server-views.ts';
import { StatusView } from '../api/status-view.ts';
import { Resumed, Suppressed, SuppressionView } from '../api/suppression-views.ts';
import { RunRecord } from '../run-record.ts';
import type { SuppressionScope } from '../schedule/suppression.ts';
import { readEvents } from './event-stream.ts';
import { CommandFailure, messageOf } from './failure.ts';
import type { ControllerAddress } from './find-controller.ts';

/** The controller answers from memory and one SQLite file: what takes longer than this is broken. */
export const ANSWER_TIMEOUT_MS = 30_000;

/** … but for a replay, which reads the history of all devices. */
const REPLAY_TIMEOUT_MS = 600_000;

/** Nobody answers, or the line broke: trying again may help. */
export class Unreachable extends CommandFailure {}

/** Talks to a controller over HTTP. Every method throws CommandFailure with what the controller says is wrong. */
export class ApiClient {
  readonly #address: ControllerAddress;
  readonly #clock: Clock;

  constructor(address: ControllerAddress, clock: Clock) {
    this.#address = { ...address, url: address.url.replace(/\/+$/, '') };
    this.#clock = clock;
  }

  devices(): Promise<DeviceView[]> {
    return this.#json('GET', 'devices', z.array(DeviceView));
  }

  device(device: string): Promise<DeviceDetails> {
    return this.#json('GET', `devices/${encodeURIComponent(device)}`, DeviceDetails);
  }

  addDevice(device: z.input<typeof NewDevice>): Promise<Credentials> {
    return this.#json('POST', 'devices', Credentials, device);
  }

  removeDevice(device: string): Promise<{ device: string }> {
    return this.#json('DELETE', `devices/${encodeURIComponent(device)}`, z.object({ device: z.string() }));
  }

  servers(): Promise<ServerView[]> {
    return this.#json('GET', 'servers', z.array(ServerView));
  }

  /** Whether it answers: the controller probes it, unless somebody may be measuring there. Takes up to 3 s. */
  checkServer(server: string): Promise<ServerCheck> {
    return this.#json('POST', `servers/${encodeURIComponent(server)}/check`, ServerCheck);
  }

  suppressions(): Promise<SuppressionView[]> {
    return this.#json('GET', 'suppressions', z.array(SuppressionView));
  }

  /** `until` is RFC 3339, `for` a length from the controller's now. */
  suppress(
    order: SuppressionScope & { until?: string; for?: string; reason?: string; stop_running: boolean },
  ): Promise<Suppressed> {
    return this.#json('POST', 'suppressions', Suppressed, order);
  }

  resume(which: SuppressionScope | { all: 'true' }): Promise<Resumed> {
    return this.#json('DELETE', `suppressions?${new URLSearchParams({ ...which })}`, Resumed);
  }

  influx(): Promise<InfluxView> {
    return this.#json('GET', 'influx', InfluxView);
  }

  retryInflux(): Promise<Requeued> {
    return this.#json('POST', 'influx/retry', Requeued);
  }

  /** One page. `since` and `until` are RFC 3339 or durations back from the controller's now. */
  backfill(range: { since: string; until: string; after?: string }): Promise<Backfilled> {
    return this.#json('POST', 'influx/backfill', Backfilled, range);
  }

  /** One page, likewise. */
  export(range: { since: string; until: string; device?: string; after?: string }): Promise<Exported> {
    return this.#json('GET', `export?${new URLSearchParams(range)}`, Exported);
  }

  status(): Promise<StatusView> {
    return this.#json('GET', 'status', StatusView);
  }

  alerts({ all }: { all: boolean }): Promise<AlertView[]> {
    return this.#json('GET', `alerts?all=${all}`, z.array(AlertView));
  }

  explainAlerts(device: string): Promise<ExplainedRuleView[]> {
    return this.#json('GET', `devices/${encodeURIComponent(device)}/alerts`, z.array(ExplainedRuleView));
  }

  replayAlerts(order: ReplayOrder): Promise<ReplayView> {
    return this.#json('POST', 'alerts/replay', ReplayView, order, REPLAY_TIMEOUT_MS);
  }

  /** Null: those of all receivers. */
  retryNotices(receiver: string | null): Promise<Requeued> {
    return this.#json(
      'POST',
      `receivers/${receiver === null ? '' : `${encodeURIComponent(receiver)}/`}retry`,
      Requeued,
    );
  }

  testReceiver(receiver: string): Promise<ReceiverTest> {
    return this.#json('POST', `receivers/${encodeURIComponent(receiver)}/test`, ReceiverTest);
  }

  /** Newest first. `since` is RFC 3339 or a duration back from the controller's now. */
  runs(filter: { device?: string; since?: string; limit?: string }): Promise<RunRecord[]> {
    return this.#json('GET', `runs?${new URLSearchParams(filter)}`, z.array(RunRecord));
  }

  run(run: string): Promise<RunRecord> {
    return this.#json('GET', `runs/${encodeURIComponent(run)}`, RunRecord);
  }

  /** What iperf3 printed in the run, as far as it is still kept. */
  raw(run: string): Promise<RawView> {
    return this.#json('GET', `runs/${encodeURIComponent(run)}/raw`, RawView);
  }

  orderRun(order: { device: string; server: string | null }): Promise<{ run: string }> {
    return this.#json('POST', 'runs', z.object({ run: z.string() }), order);
  }

  cancelRun(run: string): Promise<{ run: string }> {
    return this.#json('DELETE', `runs/${encodeURIComponent(run)}`, z.object({ run: z.string() }));
  }

  /** What happens to a run until it is over; throws Unreachable when the line breaks before. */
  async *events(run: string): AsyncGenerator<ProgressView> {
    const answer = await this.#ask('GET', `runs/${encodeURIComponent(run)}/events`);
    if (!answer.ok || answer.body === null) await this.#refused(answer);
    else {
      try {
        for await (const data of readEvents(answer.body)) yield this.#parsed(ProgressView, JSON.parse(data));
      } catch (cause) {
        throw cause instanceof CommandFailure ? cause : this.#unreachable(cause);
      }
    }
  }

  async #json<T>(
    method: string,
    path: string,
    schema: z.ZodType<T>,
    body?: unknown,
    within_ms = ANSWER_TIMEOUT_MS,
  ): Promise<T> {
    const answer = await this.#ask(method, path, body, within_ms);
    if (!answer.ok) return this.#refused(answer);
    return this.#parsed(schema, await this.#bodyOf(answer));
  }

  async #ask(method: string, path: string, body?: unknown, within_ms = ANSWER_TIMEOUT_MS): Promise<Response> {
    const late = new AbortController();
    const disarm = this.#clock.after(within_ms, () => late.abort(new Error('it took too long')));
    try {
      return await fetch(`${this.#address.url}/api/1/${path}`, {
        method,
        headers: { authorization: `Bearer ${this.#address.token}` },
        signal: late.signal,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
    } catch (cause) {
      throw this.#unreachable(cause);
    } finally {
      disarm();
    }
  }

  async #refused(answer: Response): Promise<never> {
    if (answer.status === 401) {
      const source =
        'It comes from http.token_file of --config, or from PERFLEET_TOKEN; another controller may be on this address';
      throw new CommandFailure(`the controller at ${this.#address.url} refuses our token. ${source}`);
    }
    const { message, problems } = this.#parsed(Problem, await this.#bodyOf(answer));
    throw new CommandFailure([message, ...problems.map((problem) => `  ${problem}`)].join('\n'));
  }

  async #bodyOf(answer: Response): Promise<unknown> {
    return answer.json().catch(() => null);
  }

  #parsed<T>(schema: z.ZodType<T>, data: unknown): T {
    const parsed = schema.safeParse(data);
    if (parsed.success) return parsed.data;
    const found = 'something answers that is no controller of this version';
    throw new CommandFailure(`${found} at ${this.#address.url}: check PERFLEET_URL or http.listen`);
  }

  #unreachable(cause: unknown): Unreachable {
    const reason = cause instanceof Error && cause.cause !== undefined ? messageOf(cause.cause) : messageOf(cause);
    return new Unreachable(
      `no controller answers at ${this.#address.url}: is \`perfleet serve\` running? (${reason})`,
      { cause },
    );
  }
}
