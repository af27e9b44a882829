import { fdatasync, fdatasyncSync } from 'node:fs';
import { MqttLink } from '../../broker/client.ts';
import { systemClock } from '../../broker/clock.ts';
import { parseInbound } from '../../broker/contract/inbound.ts';
import { DEFAULT_CHECK } from '../../controller/config/check-section.ts';
import { DEFAULT_RETENTION } from '../../controller/config/retention-section.ts';
import { plainServer } from '../../controller/config/servers-section.ts';
import type { Settings } from '../../controller/config/settings.ts';
import { MqttDriver } from '../../controller/drivers/mqtt.ts';
import { type RunParts, runParts, startRuns, stopRuns } from '../../controller/runs/run-parts.ts';
import { Slots } from '../../controller/slots/slots.ts';
import { Store } from '../../controller/store/store.ts';
import type { Disk } from '../../controller/store/wal-sync.ts';
import { deviceOf, runOf, TESTS } from './ingest-results.ts';

const SILENT = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

const SERVER = plainServer('server-1', '127.0.0.1', 5201);

const settingsFor = (folder: string): Settings => ({
  broker: { kind: 'embedded', host: '127.0.0.1', port: 0, tls: null },
  http: { host: '127.0.0.1', port: 0, token: '' },
  store: folder,
  influx: null,
  retention: DEFAULT_RETENTION,
  servers: new Map([[SERVER.server, SERVER]]),
  host_groups: new Map(),
  uplink_groups: new Map(),
  organizations: new Map([
    [
      'default',
      { organization: 'default', servers: [SERVER.server], check: { ...DEFAULT_CHECK, tests: TESTS }, tags: [] },
    ],
  ]),
  alerts: [],
  ssh_credentials: new Map(),
  receivers: new Map(),
});

/** Hears whom the controller tells that a result is safe, in the place of MQTT. */
class AcceptedOnly extends MqttDriver {
  readonly #onAccepted: (token: number) => void;

  constructor(onAccepted: (token: number) => void) {
    const nowhere = { url: 'mqtt://127.0.0.1:9', clientId: 'bench', username: null, password: null, tls: null };
    super(new MqttLink({ ...nowhere, clock: systemClock, random: Math.random, log: SILENT }), SILENT);
    this.#onAccepted = onAccepted;
  }

  override accepted(_device: string, _run: string, token: number): void {
    this.#onAccepted(token);
  }
}

/** The parts of a controller that results pass through, on a store where `runs` runs were granted and their results are awaited. */
export class IngestController {
  readonly store: Store;
  readonly #parts: RunParts;
  /** How often it has waited for the disk. */
  waits = 0;

  constructor(folder: string, runs: number, onAccepted: (token: number) => void) {
    const disk: Disk = {
      syncNow: fdatasyncSync,
      sync: (file, done) => {
        this.waits += 1;
        fdatasync(file, done);
      },
    };
    this.store = Store.open(folder, disk);
    this.store.atomically(() => this.#grant(runs));
    const settings = settingsFor(folder);
    const slots = new Slots({
      ...{ servers: [{ ...SERVER, endpoint: '127.0.0.1:5201' }], host_groups: new Map(), uplink_groups: new Map() },
      ...{ last_token: runs, random: Math.random },
    });
    const agent = new AcceptedOnly(onAccepted);
    this.#parts = runParts({
      ...{ settings: () => settings, store: this.store, slots, drivers: { agent, ssh: agent }, boot: 'bench' },
      ...{ clock: systemClock, random: Math.random, log: SILENT, aboutDevices: SILENT, influx: true },
      onPoints: () => {},
      onNotices: () => {},
      onFatal: (error) => {
        throw error;
      },
    });
    startRuns(this.#parts);
  }

  /** What the broker delivers. */
  hear(topic: string, payload: Uint8Array): void {
    const message = parseInbound(topic, payload);
    if (message.kind !== 'result') throw new Error('not a result');
    this.#parts.inbox.message(message);
  }

  stop(): void {
    stopRuns(this.#parts);
    this.store.close();
  }

  #grant(runs: number): void {
    const now = systemClock.wall();
    const tokens = Array.from({ length: runs }, (_, index) => index + 1);
    for (const device of new Set(tokens.map(deviceOf))) {
      this.store.devices.add({ device, organization: 'default', tags: [], uplink_group: null }, '');
    }
    const run = { organization: 'default', server: null, origin: 'demand', night: null, tests: TESTS } as const;
    const times = { requested_at_ms: now, not_before_ms: now, window_end_ms: now + 3_600_000 };
    for (const token of tokens) {
      const [id, device] = [runOf(token), deviceOf(token)];
      this.store.runs.add([{ ...run, ...times, run: id, device, tests: [...TESTS] }]);
      this.store.runs.noteGrant({ token, run: id, server: 'server-1', via: 'agent', at_ms: now, tests: TESTS });
      this.store.moved.note({ token, run: id, device, at_ms: now, bytes: 1_000_000 });
    }
  }
}
