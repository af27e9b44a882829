import { execFile } from 'node:child_process';
import { lookup } from 'node:dns';
import type { Clock } from '../../../broker/clock.ts';
import { readVersion } from '../../iperf3/version.ts';

/** `iperf3 --version` and a lookup each have this long. */
const LIMIT_MS = 2_000;

/** The version of the iperf3 that PATH of `env` leads to, or null with the reason. Never rejects. */
export const findIperf3 = (env: NodeJS.ProcessEnv): Promise<{ iperf3: string | null; error: string | null }> =>
  new Promise((resolve) => {
    execFile('iperf3', ['--version'], { env, timeout: LIMIT_MS, killSignal: 'SIGKILL' }, (error, stdout, stderr) => {
      const iperf3 = readVersion(`${stdout}\n${stderr}`);
      resolve({
        iperf3,
        error: iperf3 === null ? (error?.message.trim().slice(0, 200) ?? 'iperf3 --version shows no version') : null,
      });
    });
  });

/** Why `host` has no address now, or null when it has one. Never rejects, and takes 2 s at most. */
export const resolveHost = (host: string, clock: Clock): Promise<string | null> =>
  new Promise((resolve) => {
    const cancel = clock.after(LIMIT_MS, () => resolve('no answer within 2 s'));
    lookup(host.replace(/%.*$/, ''), (error) => {
      cancel();
      resolve(error === null ? null : error.message);
    });
  });
