import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { RunResult } from '../../broker/contract/messages.ts';
import { hashPassword } from '../../controller/store/password.ts';
import { Store } from '../../controller/store/store.ts';
import { corpusResults, runOf, TESTS } from '../bench/ingest-results.ts';
import { freePort } from '../helpers/free-port.ts';
import { rulesInFile } from './rules.ts';

export const DATABASE = 'perfleet';
export const PASSWORD = 'of no importance';
export const HTTP_TOKEN = 'hunter2hunter2';

/** Who is told of alerts, all of each. */
export const RECEIVERS = ['noc', 'boss'];

/** So many agents deliver results at the same time. */
export const DEVICES = 8;

const deviceOf = (token: number): string => `ap-${token % DEVICES}`;

/** A result that an agent holds. */
export interface Held {
  device: string;
  result: RunResult;
}

/** A configuration, and a store in which `runs` runs were granted whose results are awaited; each at a time of its own. */
export class Scene {
  readonly folder = mkdtempSync(join(tmpdir(), 'perfleet-kills-'));
  readonly config = join(this.folder, 'perfleet.yaml');
  readonly store = join(this.folder, 'store');
  readonly held: Held[];
  readonly mqtt_port: number;
  readonly http_port: number;

  private constructor(runs: number, mqtt_port: number, http_port: number) {
    this.held = corpusResults(runs).map((result) => ({ device: deviceOf(result.token), result }));
    this.mqtt_port = mqtt_port;
    this.http_port = http_port;
  }

  static async prepare(runs: number, urls: { influx: string; receivers: string }): Promise<Scene> {
    const scene = new Scene(runs, await freePort(), await freePort());
    const settings = {
      broker: { listen: `mqtt://127.0.0.1:${scene.mqtt_port}` },
      http: { listen: `127.0.0.1:${scene.http_port}`, token_file: 'http-token' },
      store: scene.store,
      influx: { version: 1, url: urls.influx, database: DATABASE },
      servers: { 'server-1': { host: '127.0.0.1' } },
      default_servers: ['server-1'],
      receivers: Object.fromEntries(RECEIVERS.map((name) => [name, { webhook: `${urls.receivers}/${name}` }])),
      alerts: rulesInFile(),
    };
    writeFileSync(join(scene.folder, 'http-token'), HTTP_TOKEN, { mode: 0o600 });
    writeFileSync(scene.config, stringify(settings));
    scene.#grant();
    return scene;
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  #grant(): void {
    const store = Store.open(this.store);
    const hash = hashPassword(PASSWORD, randomBytes(16));
    const now = Date.now();
    const times = { requested_at_ms: now, not_before_ms: now, window_end_ms: now + 86_400_000 };
    const run = { organization: 'default', server: null, origin: 'demand', night: null, tests: [...TESTS] } as const;
    store.atomically(() => {
      for (const device of new Set(this.held.map((one) => one.device))) {
        store.devices.add({ device, organization: 'default', tags: [], uplink_group: null }, hash);
      }
      for (const { device, result } of this.held) {
        const { token } = result;
        store.runs.add([{ ...run, ...times, run: runOf(token), device, tests: [...TESTS] }]);
        const grant = { token, run: runOf(token), server: 'server-1', at_ms: now + token };
        store.runs.noteGrant({ ...grant, via: 'agent', tests: [...TESTS] });
      }
    });
    store.close();
  }
}
