import type { Exit } from '../../core/io.ts';
import { watchFiles } from './system-files.ts';
import { countWan } from './wan-traffic.ts';

/** What the device did while an iperf3 ran. */
export type Meanwhile = Pick<Exit, 'wan_bytes' | 'system'>;

/** Looks at the device now, and again when the returned function is called. `wan_interface` null: that of the default route. */
export const watchDevice = (wan_interface: string | null, proc_net: string): (() => Meanwhile) => {
  const wan = countWan(wan_interface, proc_net);
  const system = watchFiles('/');
  return () => ({ wan_bytes: wan(), system: system() });
};
