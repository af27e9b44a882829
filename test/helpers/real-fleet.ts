import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inject } from 'vitest';
import { stringify } from 'yaml';
import { systemClock } from '../../broker/clock.ts';
import { StatusView } from '../../controller/api/status-view.ts';
import { ApiClient } from '../../controller/cli/api-client.ts';
import { findProgram } from '../../controller/demo/find-program.ts';
import { installWitness, readWitness, type WitnessLine } from '../../controller/demo/witness.ts';
import type { RunRecord } from '../../controller/run-record.ts';
import { freePort } from './free-port.ts';
import { Iperf3Server } from './iperf3-server.ts';
import { type FoundProcess, processesWith } from './processes.ts';
import { Program } from './program.ts';
import { until } from './until.ts';

const TOKEN = 'correct-horse-battery-staple';

/** Marks every process of a fleet, and what those start. */
const MARK = 'PERFLEET_E2E';

/** A test of one second that leaves the machine some air. */
export const ONE_SECOND = { protocol: 'tcp', direction: 'upload', duration: '1s', omit: '0s', bitrate: '20M' };

export interface Credentials {
  device: string;
  username: string;
  password: string;
}

/** Keys of the configuration file that replace those of the fleet. */
export type Configuration = Record<string, unknown>;

/** Longer than any program of ours takes to end. Milliseconds. */
const END_MS = 20_000;

/** Settles as `work` does, or rejects when that takes longer than END_MS. */
const inTime = async (work: Promise<unknown>): Promise<void> => {
  let disarm = () => {};
  const late = new Promise((_, reject) => {
    disarm = systemClock.after(END_MS, () => reject(new Error(`not ended within ${END_MS / 1000} s`)));
  });
  await Promise.race([work, late]).finally(disarm);
};

/**
 * Controllers, agents and iperf3 servers as processes of the built programs, the witness first on the agents' PATH, everything in
 * one folder. `remove()` fails when two iperf3 clients met, or when anything is left.
 */
export class RealFleet {
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;
  readonly http_port: number;
  readonly mqtt_port: number;
  readonly servers = new Map<string, Iperf3Server>();
  readonly api: ApiClient;
  readonly #programs: Program[] = [];
  readonly #others: (() => Promise<unknown>)[] = [];
  #last_witness: WitnessLine[] = [];

  private constructor(http_port: number, mqtt_port: number) {
    this.http_port = http_port;
    this.mqtt_port = mqtt_port;
    this.folder = mkdtempSync(join(tmpdir(), 'perfleet-e2e-'));
    const iperf3 = findProgram('iperf3', process.env);
    if (iperf3 === null) throw new Error('iperf3 is missing. Install it: sudo apt-get install -y iperf3');
    this.env = { ...installWitness(join(this.folder, 'witness'), iperf3, process.env), [MARK]: this.folder };
    this.api = new ApiClient({ url: `http://127.0.0.1:${http_port}`, token: TOKEN }, systemClock);
    writeFileSync(this.path('http-token'), TOKEN, { mode: 0o600 });
  }

  /** A fleet with these iperf3 servers, and nothing else running yet. */
  static async prepare(servers: readonly string[] = ['s-1']): Promise<RealFleet> {
    const fleet = new RealFleet(await freePort(), await freePort());
    const { [MARK]: mark } = fleet.env;
    for (const name of servers) {
      fleet.servers.set(name, await Iperf3Server.start({ ...process.env, [MARK]: mark }));
    }
    return fleet;
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  /** What else is to be stopped with the fleet, the newest first. */
  alsoStop(stop: () => Promise<unknown>): void {
    this.#others.unshift(stop);
  }

  /** `servers` of a configuration: those that run, and more. */
  serverSection(more: Record<string, { host: string; port: number }> = {}): Configuration {
    const running = [...this.servers].map(([name, { port }]) => [name, { host: '127.0.0.1', port }]);
    return { ...Object.fromEntries(running), ...more };
  }

  /** Writes the configuration file. Checks are off unless it says otherwise; one test of a second, no retries. */
  configure(changes: Configuration = {}, name = 'perfleet.yaml'): string {
    const servers = this.serverSection();
    const configuration = {
      broker: { listen: `mqtt://127.0.0.1:${this.mqtt_port}` },
      http: { listen: `127.0.0.1:${this.http_port}`, token_file: 'http-token' },
      store: this.path('store'),
      servers,
      default_servers: Object.keys(servers),
      check: { retries: 0, tests: [ONE_SECOND] },
      ...changes,
    };
    writeFileSync(this.path(name), stringify(configuration));
    return this.path(name);
  }

  /** Starts a program of ours; it is stopped with the fleet. */
  start(name: 'perfleet.js' | 'agent.js', argv: readonly string[], env: NodeJS.ProcessEnv = this.env): Program {
    const program = new Program([process.execPath, join(inject('programs'), name), ...argv], env);
    this.#programs.push(program);
    return program;
  }

  /** `perfleet serve`, until it answers; it is in charge five seconds later. */
  async serve(changes: Configuration = {}): Promise<Program> {
    const program = this.start('perfleet.js', ['serve', '--config', this.configure(changes)]);
    await program.says(/the controller is running/);
    return program;
  }

  /** Runs one command to its end. */
  async cli(...argv: string[]): Promise<{ code: number | null; out: string; err: string }> {
    const program = this.start('perfleet.js', [...argv, '--config', this.path('perfleet.yaml')]);
    const { code } = await program.ended;
    return { code, out: program.stdout, err: program.stderr };
  }

  /** `perfleet device add`; what it prints is all that an agent needs. */
  async addDevice(device: string): Promise<Credentials & { broker: string }> {
    const { out, err } = await this.cli('device', 'add', device, '--json');
    if (out === '') throw new Error(err);
    const { uci, ...credentials } = JSON.parse(out) as Credentials & { uci: string[] };
    return { ...credentials, broker: /broker='(.*)'/.exec(uci.join('\n'))?.[1] ?? '' };
  }

  /** Starts a device's agent. `more` goes into its configuration file. */
  agent(credentials: Credentials & { broker: string }, more: object = {}, env = this.env): Program {
    const { device, username, password, broker } = credentials;
    const state = this.path(device);
    mkdirSync(state, { recursive: true });
    const file = join(state, 'agent.yaml');
    writeFileSync(file, stringify({ device, username, password, broker, state, ...more }), { mode: 0o600 });
    return this.start('agent.js', ['--config', file], env);
  }

  /** Registers devices and starts their agents; resolves with these when all are online and the controller is in charge. */
  async join(...devices: string[]): Promise<Program[]> {
    const agents: Program[] = [];
    for (const device of devices) agents.push(this.agent(await this.addDevice(device)));
    await this.allOnline();
    return agents;
  }

  async status(): Promise<StatusView> {
    const headers = { authorization: `Bearer ${TOKEN}` };
    const answer = await fetch(`http://127.0.0.1:${this.http_port}/api/1/status`, { headers });
    return StatusView.parse(await answer.json());
  }

  async allOnline(): Promise<void> {
    await until(
      'the controller is in charge and all devices are online',
      async () => {
        const { in_charge, devices, devices_online } = await this.status();
        return in_charge && devices === devices_online;
      },
      30,
    );
  }

  /** Orders a run; resolves with its id. */
  async order(device: string, server: string | null = null): Promise<string> {
    return (await this.api.orderRun({ device, server })).run;
  }

  async record(run: string): Promise<RunRecord | undefined> {
    return (await this.api.runs({})).find((record) => record.run === run);
  }

  /** Waits until a run is over. */
  over(run: string, within_s = 30): Promise<RunRecord> {
    return until(
      `run ${run} is over`,
      async () => {
        const record = await this.record(run);
        return record?.outcome === null ? null : record;
      },
      within_s,
    );
  }

  /** The files of results that agents keep until they are accepted. */
  results(): string[] {
    const folders = readdirSync(this.folder).map((device) => join(this.folder, device, 'results'));
    return folders.filter((folder) => existsSync(folder)).flatMap((folder) => readdirSync(folder));
  }

  /** What the witness has seen so far. */
  witness(): WitnessLine[] {
    return readWitness(this.path('witness'));
  }

  /** Waits until the witness has seen so many lines; resolves with the last of them. */
  async seen(count: number, within_s = 15): Promise<WitnessLine> {
    return until(`the witness has seen ${count} lines`, () => this.witness()[count - 1], within_s);
  }

  /** The processes of this fleet whose command line matches. */
  processes(command: RegExp): FoundProcess[] {
    return processesWith(`${MARK}=${this.folder}`).filter((found) => command.test(found.command));
  }

  /** What all programs have said and the witness has seen, for whoever looks for the cause of a failure. */
  said(): string {
    const programs = this.#programs.map(({ name, stdout, stderr }) => `--- ${name}\n${stdout}${stderr}`);
    return [...programs, '--- the witness', ...this.#last_witness.map((line) => JSON.stringify(line))].join('\n');
  }

  /** Ends everything. Fails when two iperf3 clients met on a server, or when a process outlives it all. */
  async remove(): Promise<void> {
    try {
      await inTime(Promise.all(this.#programs.filter(({ running }) => running).map((one) => one.end('SIGTERM'))));
      for (const stop of this.#others) await inTime(stop());
      for (const server of this.servers.values()) await inTime(server.end('SIGTERM'));
      this.#last_witness = this.witness();
      const refused = this.#last_witness.filter(({ what }) => what === 'refused');
      if (refused.length > 0) throw new Error(`${refused.length} iperf3 clients met another one on their server`);
      await until('all processes of the fleet are gone', () => this.processes(/./).length === 0).catch((error) => {
        throw new Error(`${error.message}: ${JSON.stringify(this.processes(/./))}`);
      });
    } finally {
      for (const { pid } of this.processes(/./)) process.kill(pid, 'SIGKILL');
      rmSync(this.folder, { recursive: true, force: true });
    }
  }
}
