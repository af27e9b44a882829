import { readFileSync } from 'node:fs';

/** Memory of a process. PSS counts pages that several processes share by halves, thirds and so on. */
export interface Memory {
  pss_mib: number;
  rss_mib: number;
}

/** From /proc/PID/smaps_rollup (Linux 4.14). */
export const memoryOf = (pid: number): Memory => {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const mib = (field: string): number => {
    const found = new RegExp(`^${field}: +([0-9]+) kB$`, 'm').exec(text);
    if (found === null) throw new Error(`/proc/${pid}/smaps_rollup has no ${field}`);
    return Number(found[1]) / 1024;
  };
  return { pss_mib: mib('Pss'), rss_mib: mib('Rss') };
};
