import { randomBytes } from 'node:crypto';
import type { Settings } from './config/settings.ts';
import { SshDriver, type SshDriverOptions } from './drivers/ssh/ssh-driver.ts';
import { sshTargetOf } from './ssh-targets.ts';
import type { Store } from './store/store.ts';

/** The SSH driver for the devices of the store, by the settings that are in force. Starts nothing. */
export const makeSshDriver = (
  { store, settings }: { store: Pick<Store, 'devices'>; settings: () => Settings },
  around: Omit<SshDriverOptions, 'targetOf' | 'random'>,
): SshDriver =>
  new SshDriver({
    ...around,
    targetOf: (device) => sshTargetOf(store.devices.get(device), settings()),
    random: () => randomBytes(16).toString('hex'),
  });
