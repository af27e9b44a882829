import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SystemLoad } from '../../../broker/contract/messages.ts';
import { systemSince } from '../../core/system.ts';

/** OpenWrt's configuration is for root alone: an agent with a user of its own has these lines of it from the init script. */
const FIREWALL = ['var/run/perfleet/firewall', 'etc/config/firewall'];

/**
 * Looks at what the CPUs have done so far. The returned function looks again: how busy the device was since. `root` is `/`. The files of
 * /proc are read in some 0.1 ms.
 */
export const watchSystem = (root: string): (() => SystemLoad) => {
  const read = (name: string): string | null => {
    try {
      return readFileSync(join(root, name), 'utf8');
    } catch {
      return null;
    }
  };
  const firewall = FIREWALL.map(read).find((text) => text !== null) ?? null;
  const stat = read('proc/stat');
  return () =>
    systemSince(stat, {
      stat: read('proc/stat'),
      loadavg: read('proc/loadavg'),
      meminfo: read('proc/meminfo'),
      firewall,
    });
};
