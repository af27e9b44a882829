import type { Principal } from '../broker/access.ts';
import { verifyPassword } from './store/password.ts';
import type { Store } from './store/store.ts';

/** Who may enter the embedded broker: devices with their password. The controller itself comes in from inside the process. */
export const authenticateDevices =
  (store: Store) =>
  (username: string, password: Buffer): Principal | null =>
    verifyPassword(password, store.devices.passwordHash(username)) ? { kind: 'device', device: username } : null;
