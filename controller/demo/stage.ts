import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GUARD } from '../../agent/iperf3/guard.ts';
import type { Clock } from '../../broker/clock.ts';
import type { TestPlan } from '../../broker/contract/messages.ts';
import type { Log } from '../../broker/log.ts';
import { DEFAULT_CHECK } from '../config/check-section.ts';
import { DEFAULT_RETENTION } from '../config/retention-section.ts';
import { plainServer } from '../config/servers-section.ts';
import type { Settings } from '../config/settings.ts';
import { Controller } from '../controller.ts';
import { Children } from './children.ts';
import { ramFolder } from './ram-folder.ts';
import { installWitness } from './witness.ts';

export interface StageOptions {
  devices: number;
  servers: number;
  tests: TestPlan[];
  /** The built agent. */
  agent: string;
  /** The real iperf3. */
  iperf3: string;
  env: NodeJS.ProcessEnv;
  version: string;
  clock: Clock;
  random: () => number;
  log: Log;
  /** Something that must not end has ended. */
  onFatal: (error: Error) => void;
}

/** The iperf3 servers of a stage are gone after this, whatever happens to everything else. Seconds. */
const SERVER_LIFE_S = 900;

const HOST = '127.0.0.1';

/** A TCP port that nobody uses at this moment. */
const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, HOST, () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });

const settingsFor = (tests: TestPlan[], store: string, ports: number[]): Settings => {
  const servers = ports.map((port, index) => plainServer(`server-${index + 1}`, HOST, port));
  const names = servers.map(({ server }) => server);
  const check = { ...DEFAULT_CHECK, tests, retries: 0 };
  return {
    broker: { kind: 'embedded', host: HOST, port: 0, tls: null },
    http: { host: HOST, port: 0, token: randomBytes(16).toString('hex') },
    store,
    influx: null,
    retention: DEFAULT_RETENTION,
    servers: new Map(servers.map((server) => [server.server, server])),
    host_groups: new Map(),
    uplink_groups: new Map(),
    organizations: new Map([['default', { organization: 'default', servers: names, check, tags: [] }]]),
    alerts: [],
    ssh_credentials: new Map(),
    receivers: new Map(),
  };
};

/**
 * A whole small fleet on this machine: iperf3 servers, a controller with a temporary store, and agents as processes of their own,
 * with the witness first on their PATH. After `stop()` no process, file or port is left.
 */
export class Stage {
  /** In memory, as the agents' folders are on routers. */
  readonly folder: string;
  readonly controller: Controller;
  readonly #options: StageOptions;
  readonly #ports: number[];
  /** On disk. */
  readonly #store: string;
  readonly #children: Children;
  #starting: Promise<void> = Promise.resolve();

  /** Makes the folders and chooses the ports; starts nothing. */
  static async prepare(options: StageOptions): Promise<Stage> {
    const ports = await Promise.all(Array.from({ length: options.servers }, freePort));
    return new Stage(options, ports);
  }

  private constructor(options: StageOptions, ports: number[]) {
    const { clock, random, log, version, onFatal } = options;
    this.#options = options;
    this.folder = ramFolder('perfleet-stage-');
    this.#store = mkdtempSync(join(tmpdir(), 'perfleet-store-'));
    this.#ports = ports;
    this.#children = new Children(clock);
    const settings = settingsFor(options.tests, this.#store, ports);
    this.controller = new Controller({ settings, version, clock, random, log, onFatal });
  }

  start(): Promise<void> {
    this.#starting = this.#start();
    return this.#starting;
  }

  async #start(): Promise<void> {
    const { devices, iperf3, env } = this.#options;
    const { mqtt_port } = await this.controller.start();
    for (const port of this.#ports) {
      const guard = ['-c', GUARD, 'guard', join(this.folder, `server-${port}.pid`)];
      const server = [...guard, iperf3, '-s', '-B', HOST, '-p', String(port)];
      this.#spawn(`the iperf3 server on port ${port}`, 'sh', server, env).stdin?.write(`${SERVER_LIFE_S}\n`);
    }
    const witnessed = installWitness(join(this.folder, 'witness'), iperf3, env);
    for (let index = 1; index <= devices; index += 1) this.#startAgent(`device-${index}`, mqtt_port, witnessed);
  }

  /** Where the witness writes its record. */
  get witness(): string {
    return join(this.folder, 'witness');
  }

  /** Also in the middle of a start, or after one that failed. */
  async stop(): Promise<void> {
    await this.#starting.catch(() => {});
    await this.#children.stop();
    await this.controller.stop();
    for (const folder of [this.folder, this.#store]) rmSync(folder, { recursive: true, force: true });
  }

  #startAgent(device: string, mqtt_port: number | null, env: NodeJS.ProcessEnv): void {
    const added = this.controller.fleet.devices.add({ device, organization: 'default', tags: [], uplink_group: null });
    if (!added.ok) throw new Error(added.problem.message);
    const state = join(this.folder, device);
    mkdirSync(state);
    const { username, password } = added.value;
    const config = { device, broker: `mqtt://${HOST}:${mqtt_port}`, username, password, state };
    const file = join(state, 'agent.json');
    writeFileSync(file, JSON.stringify(config), { mode: 0o600 });
    this.#spawn(`the agent of ${device}`, process.execPath, [this.#options.agent, '--config', file], env);
  }

  #spawn(name: string, command: string, args: string[], env: NodeJS.ProcessEnv): ChildProcess {
    const { log, onFatal } = this.#options;
    let said = '';
    return this.#children.spawn(command, args, {
      env,
      onOutput: (text) => {
        said = `${said}${text}`.slice(-2000);
        log.debug({ name, text }, 'a child process said something');
      },
      onExit: (reason) => onFatal(new Error(`${name} is gone: ${reason}\n${said}`)),
    });
  }
}
