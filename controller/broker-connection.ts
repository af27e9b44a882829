import { EmbeddedBroker } from '../broker/broker.ts';
import type { LinkOptions } from '../broker/client.ts';
import type { Clock } from '../broker/clock.ts';
import type { Log } from '../broker/log.ts';
import { authenticateDevices } from './authenticator.ts';
import type { Settings } from './config/settings.ts';
import type { Store } from './store/store.ts';

/** How the controller reaches its broker. */
export type Dial = Pick<LinkOptions, 'url' | 'stream' | 'username' | 'password' | 'tls'>;

/** Our own broker, not started yet, or null with an external one; and how to reach the one or the other. */
export const makeBroker = (
  settings: Settings['broker'],
  store: Store,
  { clock, log }: { clock: Clock; log: Log },
): { broker: EmbeddedBroker | null; dial: Dial } => {
  if (settings.kind === 'external') {
    const { url, username, password, tls } = settings;
    const files = Object.values(tls).every((file) => file === null) ? null : tls;
    return { broker: null, dial: { url, username, password, tls: files } };
  }
  const { host, port, tls } = settings;
  const broker = new EmbeddedBroker({ host, port, tls, authenticate: authenticateDevices(store), clock, log });
  return { broker, dial: { url: null, stream: () => broker.open(), username: null, password: null, tls: null } };
};
