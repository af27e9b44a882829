import type { ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GUARD } from '../../agent/iperf3/guard.ts';
import { systemClock } from '../../broker/clock.ts';
import type { TestPlan } from '../../broker/contract/messages.ts';
import { DEFAULT_CHECK } from '../../controller/config/check-section.ts';
import { DEFAULT_RETENTION } from '../../controller/config/retention-section.ts';
import { plainServer } from '../../controller/config/servers-section.ts';
import { Controller } from '../../controller/controller.ts';
import { Children } from '../../controller/demo/children.ts';
import { findProgram } from '../../controller/demo/find-program.ts';
import { installWitness, readWitness, type WitnessLine } from '../../controller/demo/witness.ts';
import type { Fleet } from '../../controller/fleet.ts';
import { bundleAgent } from '../../packaging/build/build.mjs';
import { allOnline } from './all-runs.ts';
import type { Namespaces } from './namespaces.ts';
import { RecordedLog } from './recorded-log.ts';

export interface FarFleetOptions {
  namespaces: Namespaces;
  /** Where the controller, in this process, listens: its end of the link to the devices. */
  controller: string;
  /** The iperf3 server; namespace null is the one that this process is in. */
  server: { namespace: string | null; host: string; port: number };
  tests: TestPlan[];
}

/** The iperf3 server is gone after this, whatever happens. Seconds. */
const SERVER_LIFE_S = 300;

/** A controller in this process, and an iperf3 server and agents as processes in namespaces, with the witness on their PATH. */
export class FarFleet {
  readonly log = new RecordedLog();
  readonly #options: FarFleetOptions;
  readonly #folder = mkdtempSync(join(tmpdir(), 'perfleet-far-'));
  readonly #children = new Children(systemClock);
  readonly #controller: Controller;
  readonly #trouble: string[] = [];
  #env: NodeJS.ProcessEnv = {};

  constructor(options: FarFleetOptions) {
    this.#options = options;
    const { controller, server, tests } = options;
    const check = { ...DEFAULT_CHECK, tests, retries: 0 };
    const one = plainServer('far', server.host, server.port);
    this.#controller = new Controller({
      settings: {
        broker: { kind: 'embedded', host: controller, port: 0, tls: null },
        http: { host: '127.0.0.1', port: 0, token: 'of-no-use-to-anybody' },
        store: join(this.#folder, 'store'),
        influx: null,
        retention: DEFAULT_RETENTION,
        servers: new Map([['far', one]]),
        host_groups: new Map(),
        uplink_groups: new Map(),
        organizations: new Map([['default', { organization: 'default', servers: ['far'], check, tags: [] }]]),
        alerts: [],
        ssh_credentials: new Map(),
        receivers: new Map(),
      },
      version: '0.0.0',
      clock: systemClock,
      random: Math.random,
      log: this.log,
      onFatal: (error) => this.#trouble.push(error.message),
    });
  }

  get fleet(): Fleet {
    return this.#controller.fleet;
  }

  /** What went wrong with processes that should still be there; empty when all is well. */
  get trouble(): readonly string[] {
    return this.#trouble;
  }

  /** Waits until the controller is in charge and all agents are online. */
  async online(): Promise<void> {
    await allOnline(this.fleet).catch((error: Error) => {
      throw new Error(`${error.message}; ${JSON.stringify([...this.#trouble, ...this.log.lines])}`);
    });
  }

  /** What the witness has seen so far. */
  witness(): WitnessLine[] {
    return readWitness(this.#folder);
  }

  /** Starts the controller and the iperf3 server; returns the port of the broker. */
  async start(): Promise<number> {
    const iperf3 = findProgram('iperf3', process.env);
    if (iperf3 === null) throw new Error('iperf3 is missing. Install it: sudo apt-get install -y iperf3');
    bundleAgent(this.#folder);
    this.#env = installWitness(this.#folder, iperf3, process.env);
    const { mqtt_port } = await this.#controller.start();
    const { namespace, host, port } = this.#options.server;
    const guard = ['-c', GUARD, 'guard', join(this.#folder, 'server.pid')];
    const server = this.#spawn(namespace, process.env, 'sh', ...guard, iperf3, '-s', '-B', host, '-p', `${port}`);
    server.stdin?.write(`${SERVER_LIFE_S}\n`);
    return mqtt_port ?? 0;
  }

  /** Registers a device and starts its agent, which finds the broker at this port of the controller's address. */
  startAgent(device: string, namespace: string, broker_port: number): void {
    const added = this.fleet.devices.add({ device, organization: 'default', tags: [], uplink_group: null });
    if (!added.ok) throw new Error(added.problem.message);
    const state = join(this.#folder, device);
    mkdirSync(state);
    const { username, password } = added.value;
    const config = { device, broker: `mqtt://${this.#options.controller}:${broker_port}`, username, password, state };
    const file = join(state, 'agent.json');
    writeFileSync(file, JSON.stringify(config), { mode: 0o600 });
    this.#spawn(namespace, this.#env, process.execPath, join(this.#folder, 'agent.js'), '--config', file);
  }

  async stop(): Promise<void> {
    await this.#children.stop();
    await this.#controller.stop();
    rmSync(this.#folder, { recursive: true });
  }

  #spawn(namespace: string | null, env: NodeJS.ProcessEnv, program: string, ...args: string[]): ChildProcess {
    const [command, line] =
      namespace === null ? [program, args] : this.#options.namespaces.inside(namespace, program, ...args);
    return this.#children.spawn(command, line, {
      env,
      onOutput: (text) => this.log.debug({ text }, `${program} said something`),
      onExit: (reason) => this.#trouble.push(`${program}: ${reason}`),
    });
  }
}
