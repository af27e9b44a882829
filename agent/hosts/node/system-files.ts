import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SystemLoad } from '../../../broker/contract/messages.ts';
import { watchSystem } from '../../core/system.ts';

/** OpenWrt's configuration is for root alone: an agent with a user of its own has these lines of it from the init script. */
const FIREWALL = ['var/run/perfleet/firewall', 'etc/config/firewall'];

/** The text of a file, null when it cannot be read. */
const textOf = (path: string): string | null => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
};

/** Looks at what the device does. The returned function looks again: how busy it was since. `root` is `/`. Each look takes some 0.1 ms. */
export const watchFiles = (root: string): (() => SystemLoad) => {
  const read = (name: string) => textOf(join(root, name));
  const firewall = FIREWALL.map(read).find((text) => text !== null) ?? null;
  const load = watchSystem({ stat: read('proc/stat'), firewall });
  return () => load({ stat: read('proc/stat'), loadavg: read('proc/loadavg'), meminfo: read('proc/meminfo') });
};
