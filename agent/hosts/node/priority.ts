import { getPriority, setPriority } from 'node:os';
import type { Log } from '../../../broker/log.ts';

const NICEST = 19;

/** Makes a process nicer than this one by `nice`, as `nice -n` does, and with it all that it starts. Where that is refused it goes on as it is. */
export const beNice = (pid: number, nice: number, log: Log): void => {
  try {
    setPriority(pid, Math.min(NICEST, getPriority() + nice));
  } catch (error) {
    log.debug({ pid, nice, error: String(error) }, 'iperf3 gets the priority of the agent');
  }
};
