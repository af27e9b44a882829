import { randomBytes } from 'node:crypto';
import { EmbeddedBroker } from '../../broker/broker.ts';
import { systemClock } from '../../broker/clock.ts';
import { version } from '../../broker/version.ts';
import { authenticateDevices } from '../../controller/authenticator.ts';
import { makeBroker } from '../../controller/broker-connection.ts';
import { DEFAULT_CHECK } from '../../controller/config/check-section.ts';
import { DEFAULT_RETENTION } from '../../controller/config/retention-section.ts';
import { plainServer } from '../../controller/config/servers-section.ts';
import type { Settings } from '../../controller/config/settings.ts';
import { Controller } from '../../controller/controller.ts';
import { hashPassword } from '../../controller/store/password.ts';
import { Store } from '../../controller/store/store.ts';
import { deviceName, FAR, HOST, LIFE_MS, MOST_AGENTS, NEAR, PLAN, SECRET, SERVERS } from './handoff-plan.ts';

/*
 * A controller as `perfleet serve` runs it, with its embedded broker, its API and its store on disk: `handoff-controller.js FOLDER`.
 * Beside devices the broker admits the bench's bare clients. Says where it listens, and ends with whoever started it.
 */

const [folder = ''] = process.argv.slice(2);

const servers = Array.from({ length: SERVERS }, (_, index) => plainServer(`server-${index + 1}`, HOST, 5201 + index));

const settings: Settings = {
  broker: { kind: 'embedded', host: HOST, port: 0, tls: null },
  http: { host: HOST, port: 0, token: SECRET },
  store: folder,
  influx: null,
  retention: DEFAULT_RETENTION,
  servers: new Map(servers.map((server) => [server.server, server])),
  host_groups: new Map(),
  uplink_groups: new Map(),
  organizations: new Map([
    [
      'default',
      {
        organization: 'default',
        servers: servers.map(({ server }) => server),
        check: { ...DEFAULT_CHECK, tests: [PLAN], retries: 0 },
        tags: [],
      },
    ],
  ]),
  alerts: [],
  ssh_credentials: new Map(),
  receivers: new Map(),
};

/** As `perfleet device add` would, but all in one transaction, and with one password. */
const register = (): void => {
  const store = Store.open(folder);
  const hash = hashPassword(SECRET, randomBytes(16));
  store.atomically(() => {
    for (let index = 0; index < MOST_AGENTS; index += 1) {
      const device = { device: deviceName(index), organization: 'default', tags: [], uplink_group: null };
      store.devices.add(device, hash);
    }
  });
  store.close();
};

const withBareClients: typeof makeBroker = (wanted, store, { clock, log }) => {
  const devices = authenticateDevices(store);
  const broker = new EmbeddedBroker({
    ...{ host: HOST, port: 0, tls: null, clock, log },
    authenticate: (username, password) =>
      username === NEAR || username === FAR ? { kind: 'controller' } : devices(username, password),
  });
  return { ...makeBroker(wanted, store, { clock, log }), broker, dial: inProcess(broker) };
};

const inProcess = (broker: EmbeddedBroker) => ({
  ...{ url: null, stream: () => broker.open(), username: null, password: null, tls: null },
});

const end = (why: string): void => {
  process.stderr.write(`the controller of the bench: ${why}\n`);
  process.exit(1);
};

systemClock.after(LIFE_MS, () => end('its time is up'));
process.once('disconnect', () => process.exit());

register();
const controller = new Controller({
  ...{ settings, version, clock: systemClock, random: Math.random, makeBroker: withBareClients },
  log: {
    debug: () => {},
    info: () => {},
    warn: () => {},
    error: (fields, text) => end(`${text} ${JSON.stringify(fields)}`),
  },
  onFatal: (error) => end(error.message),
});
process.send?.(await controller.start());
