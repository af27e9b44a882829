import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { sleep, systemClock } from '../../broker/clock.ts';
import { ApiClient } from '../../controller/cli/api-client.ts';
import type { RunRecord } from '../../controller/run-record.ts';
import { hashPassword } from '../../controller/store/password.ts';
import { Store } from '../../controller/store/store.ts';
import { freePort } from './free-port.ts';
import type { Place } from './lan.ts';
import { Program } from './program.ts';
import type { SshDevice } from './ssh-device.ts';
import type { SshField } from './ssh-field.ts';
import { until } from './until.ts';

const TOKEN = 'correct-horse-battery-staple';
const PASSWORD = 'of no importance';

/** How often it is asked whether runs are over. */
const ASK_MS = 500;

export interface FieldControllerOptions {
  field: SshField;
  /** perfleet.js as it is shipped. */
  perfleet: string;
  /** The section `check` of its configuration. */
  check: object;
  /** Devices with an agent, and where that runs. */
  agents?: readonly { name: string; place: Place }[];
  /** agent.js as it is shipped; needed with `agents`. */
  agent?: string;
  /** Where the controller finds a router, if not at its own address. */
  addressOf?: (router: SshDevice) => { host: string; port: number };
}

/** `perfleet serve` over a field of routers, with their SSH credentials in files, and agents beside them. Everything is in the field's folder. */
export class FieldController {
  readonly api: ApiClient;
  readonly #options: FieldControllerOptions;
  readonly #config: string;
  readonly #mqtt_port: number;
  readonly #agents: Program[] = [];
  #program: Program | null = null;

  private constructor(options: FieldControllerOptions, mqtt_port: number, http_port: number) {
    this.#options = options;
    this.#mqtt_port = mqtt_port;
    this.#config = this.#path('perfleet.yaml');
    this.api = new ApiClient({ url: `http://127.0.0.1:${http_port}`, token: TOKEN }, systemClock);
    writeFileSync(this.#path('http-token'), TOKEN, { mode: 0o600 });
    writeFileSync(this.#path('ssh-key'), options.field.login.key, { mode: 0o600 });
    this.#configure(http_port);
    this.#register();
  }

  /** With a configuration and devices, and nothing running yet. */
  static async prepare(options: FieldControllerOptions): Promise<FieldController> {
    return new FieldController(options, await freePort(), await freePort());
  }

  /** The controller's pid. */
  get pid(): number {
    return this.#program?.pid ?? 0;
  }

  /** What the controller has said since its last start. */
  get said(): string {
    return `${this.#program?.stdout}${this.#program?.stderr}`;
  }

  /** Resolves when it answers; it is in charge five seconds later. */
  async start(): Promise<void> {
    this.#program = new Program(
      [process.execPath, this.#options.perfleet, 'serve', '--config', this.#config],
      process.env,
    );
    await this.#program.says(/the controller is running/, 30);
  }

  /** Starts the agents. */
  startAgents(): void {
    const { field, agents = [], agent = '' } = this.#options;
    for (const { name, place } of agents) {
      const state = this.#path(name);
      mkdirSync(state);
      const broker = `mqtt://${field.lan.address}:${this.#mqtt_port}`;
      const config = { device: name, broker, username: name, password: PASSWORD, state };
      writeFileSync(join(state, 'agent.json'), JSON.stringify(config), { mode: 0o600 });
      const command = [process.execPath, agent, '--config', join(state, 'agent.json')];
      this.#agents.push(new Program(field.lan.inside(place, ...command), field.env));
    }
  }

  async inCharge(): Promise<void> {
    await until(
      'the controller is in charge and all devices are online',
      async () => {
        await sleep(systemClock, ASK_MS / 5);
        const { in_charge, devices, devices_online } = await this.api.status();
        return in_charge && devices === devices_online;
      },
      30,
    );
  }

  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    await this.#program?.end(signal);
  }

  /** Before the field is removed. */
  async stop(): Promise<void> {
    await Promise.all(this.#agents.map((agent) => agent.end('SIGTERM')));
    await this.end('SIGTERM');
  }

  /** Orders a run of each, in this order; resolves with their records when all are over. */
  async measure(devices: readonly string[], within_s: number): Promise<RunRecord[]> {
    for (const device of devices) await this.api.orderRun({ device, server: null });
    return this.over(devices.length, within_s);
  }

  /** All records, when there are so many and all runs are over. It asks seldom: the controller has something else to do. */
  over(count: number, within_s: number): Promise<RunRecord[]> {
    return until(
      `${count} runs are over`,
      async () => {
        await sleep(systemClock, ASK_MS);
        const records = await this.api.runs({});
        return records.length >= count && records.every(({ outcome }) => outcome !== null) ? records : null;
      },
      within_s,
    );
  }

  #path(name: string): string {
    return join(this.#options.field.folder, name);
  }

  #configure(http_port: number): void {
    const { field, check } = this.#options;
    const servers = [...field.servers].map(([name, { host, port }]) => [name, { host, port }] as const);
    const configuration = {
      broker: { listen: `mqtt://${field.lan.address}:${this.#mqtt_port}` },
      http: { listen: `127.0.0.1:${http_port}`, token_file: 'http-token' },
      store: this.#path('store'),
      servers: Object.fromEntries(servers),
      default_servers: servers.map(([name]) => name),
      check,
      ssh_credentials: { lab: { key_file: 'ssh-key' } },
      organizations: { default: { ssh: 'lab' } },
    };
    writeFileSync(this.#config, stringify(configuration));
  }

  #register(): void {
    const { field, agents = [], addressOf = ({ server }) => server } = this.#options;
    const store = Store.open(this.#path('store'));
    const hash = hashPassword(PASSWORD, randomBytes(16));
    const common = { organization: 'default', tags: [], uplink_group: null };
    store.atomically(() => {
      for (const router of field.routers) {
        const { host, port } = addressOf(router);
        const { user, host_key } = router.server.target();
        const ssh = { user, host, port, host_key, credentials: null };
        store.devices.add({ device: router.name, ...common, ssh }, hash);
      }
      for (const { name } of agents) store.devices.add({ device: name, ...common }, hash);
    });
    store.close();
  }
}
