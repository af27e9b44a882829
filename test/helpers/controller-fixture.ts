import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { TestPlan } from '../../broker/contract/messages.ts';
import { CLAIM_WAIT_MS } from '../../broker/contract/numbers.ts';
import { DEFAULT_CHECK } from '../../controller/config/check-section.ts';
import { DEFAULT_RETENTION } from '../../controller/config/retention-section.ts';
import { plainServer } from '../../controller/config/servers-section.ts';
import type { CheckSettings, Settings } from '../../controller/config/settings.ts';
import { Controller } from '../../controller/controller.ts';
import type { RunRecord } from '../../controller/run-record.ts';
import { GRANT_REST_MS } from '../../controller/runs/dispatcher.ts';
import { JumpingClock } from './jumping-clock.ts';
import { RecordedLog } from './recorded-log.ts';
import { ScriptedAgent } from './scripted-agent.ts';
import { until } from './until.ts';

/** A plan of one test; TCP upload of 10 s unless told otherwise. */
export const testPlan = (plan: Partial<TestPlan> = {}): TestPlan => ({
  test: 'tcp-upload',
  protocol: 'tcp',
  direction: 'upload',
  duration_s: 10,
  omit_s: 1,
  streams: 1,
  bitrate: null,
  length: null,
  window: null,
  congestion: null,
  ...plan,
});

const check = (overrides: Partial<CheckSettings>): CheckSettings => ({
  ...DEFAULT_CHECK,
  tests: [testPlan()],
  retries: 1,
  ...overrides,
});

export interface World {
  /** Names of servers; each on port 5201 and up of a host that nobody is asked for. */
  servers?: string[];
  check?: Partial<CheckSettings>;
  settings?: Partial<Settings>;
}

/** A folder that is gone when the test is over. */
export const temporaryFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'perfleet-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
};

/** Settings of a small world with the organization `default`, an embedded broker and free ports. */
export const worldSettings = ({ servers = ['s-1'], check: overrides = {}, settings = {} }: World = {}): Settings => ({
  broker: { kind: 'embedded', host: '127.0.0.1', port: 0, tls: null },
  http: { host: '127.0.0.1', port: 0, token: 'http-token' },
  store: join(temporaryFolder(), 'store'),
  // Nobody listens there: points are queued, as in a night without InfluxDB.
  influx: { version: 1, url: 'http://127.0.0.1:9', database: 'perfleet', username: null, password: null },
  retention: DEFAULT_RETENTION,
  servers: new Map(servers.map((server, index) => [server, plainServer(server, '127.0.0.1', 5201 + index)])),
  host_groups: new Map(),
  uplink_groups: new Map(),
  organizations: new Map([['default', { organization: 'default', servers, check: check(overrides), tags: [] }]]),
  alerts: [],
  ssh_credentials: new Map(),
  receivers: new Map(),
  ...settings,
});

/** A real controller with a clock that a test moves, and everything that a test asks of it. Stopped when the test is over. */
export class ControllerFixture {
  readonly clock = new JumpingClock();
  readonly log = new RecordedLog();
  readonly failures: Error[] = [];
  readonly settings: Settings;
  controller: Controller;
  #mqtt_port = 0;
  http_port = 0;
  #passwords = new Map<string, string>();

  private constructor(settings: Settings) {
    this.settings = settings;
    this.controller = this.#make();
  }

  static make(world: World = {}): ControllerFixture {
    return new ControllerFixture(worldSettings(world));
  }

  /** Started, and in charge of its broker. */
  static async start(world: World = {}): Promise<ControllerFixture> {
    const fixture = ControllerFixture.make(world);
    await fixture.start();
    await fixture.inCharge();
    return fixture;
  }

  async start(): Promise<void> {
    const { http_port, mqtt_port } = await this.controller.start();
    this.http_port = http_port;
    this.#mqtt_port = mqtt_port ?? 0;
    onTestFinished(() => this.controller.stop());
  }

  /** Lets the claim's time pass. */
  async inCharge(): Promise<void> {
    await until('the controller is connected', () => this.controller.fleet.status().broker_connected);
    await until('the controller is in charge', () => {
      this.clock.advance(CLAIM_WAIT_MS / 10);
      return this.controller.fleet.status().in_charge;
    });
  }

  /** Stops the controller and starts another one on the same store. */
  async restart(): Promise<void> {
    await this.controller.stop();
    this.controller = this.#make();
    await this.start();
  }

  /** Registers a device and returns its agent, online. */
  async agent(
    device: string,
    extra: { organization?: string; uplink_group?: string; tags?: string[] } = {},
  ): Promise<ScriptedAgent> {
    const { organization = 'default', uplink_group = null, tags = [] } = extra;
    const added = this.controller.fleet.devices.add({ device, organization, tags, uplink_group });
    if (!added.ok) throw new Error(added.problem.message);
    this.#passwords.set(device, added.value.password);
    return this.comeBack(device);
  }

  /** Another agent of a device that is registered. */
  async comeBack(
    device: string,
    boot = 'boot-1',
    password = this.#passwords.get(device) ?? '',
  ): Promise<ScriptedAgent> {
    const agent = new ScriptedAgent(`mqtt://127.0.0.1:${this.#mqtt_port}`, device, password);
    agent.boot = boot;
    agent.onStart = () => this.clock.advance(GRANT_REST_MS);
    onTestFinished(() => agent.stop());
    await agent.start();
    await until(`${device} is seen online`, () => {
      const view = this.controller.fleet.devices.get(device);
      return view.ok && view.value.online;
    });
    return agent;
  }

  order(device: string, server: string | null = null): string {
    const ordered = this.controller.fleet.runs.order({ device, server });
    if (!ordered.ok) throw new Error(ordered.problem.message);
    return ordered.value.run;
  }

  record(run: string): RunRecord {
    const record = this.controller.fleet.runs.record(run);
    if (!record.ok) throw new Error(record.problem.message);
    return record.value;
  }

  /** Waits until a run is over. */
  over(run: string): Promise<RunRecord> {
    return until(`run ${run} is over`, () => {
      const record = this.record(run);
      return record.outcome === null ? null : record;
    });
  }

  #make(): Controller {
    const { settings, clock, log } = this;
    const onFatal = (error: Error) => this.failures.push(error);
    return new Controller({ settings, version: '0.0.0', clock, random: () => 0.5, log, onFatal });
  }
}
