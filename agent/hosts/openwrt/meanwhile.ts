import type { Exit } from '../../core/io.ts';
import { watchSystem } from '../../core/system.ts';
import { countWan } from './wan.ts';

/** What the device did while an iperf3 ran. */
export type Meanwhile = Pick<Exit, 'wan_bytes' | 'system'>;

/** Looks at the device now, and again when the returned function is called. `wan_interface` null: that of the default route. */
export const watchDevice = (wan_interface: string | null): (() => Meanwhile) => {
  const bytesSince = countWan(wan_interface);
  // OpenWrt's configuration is for root alone: the init script puts these lines of it where the agent can read them.
  const firewall = fs.readfile('/var/run/perfleet/firewall') ?? fs.readfile('/etc/config/firewall');
  const loadSince = watchSystem({ stat: fs.readfile('/proc/stat'), firewall });
  return () => {
    const wan_bytes = bytesSince();
    const texts = { loadavg: fs.readfile('/proc/loadavg'), meminfo: fs.readfile('/proc/meminfo') };
    return { wan_bytes, system: loadSince({ stat: fs.readfile('/proc/stat'), ...texts }) };
  };
};
