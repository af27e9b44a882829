import { execFile } from 'node:child_process';
import { lookup } from 'node:dns';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Clock } from '../../../broker/clock.ts';
import { readVersion } from '../../iperf3/version.ts';

/** `iperf3 --version` and a lookup each have this long. */
const LIMIT_MS = 2_000;

interface Found {
  iperf3: string | null;
  error: string | null;
}

/** Where PATH leads to, and what changes when another program is put there; null without one. */
const identify = (env: NodeJS.ProcessEnv): string | null => {
  for (const folder of (env['PATH'] ?? '').split(delimiter)) {
    const path = join(folder, 'iperf3');
    try {
      accessSync(path, constants.X_OK);
      const { dev, ino, size, ctimeMs } = statSync(path);
      return `${path} ${dev} ${ino} ${size} ${ctimeMs}`;
    } catch {
      // not here: the next folder
    }
  }
  return null;
};

/**
 * Finds the version of the iperf3 that PATH of `env` leads to, or null with the reason. It is looked for each time, but asked only once:
 * a program less to run just when another device's test begins. Never rejects.
 */
export const iperf3Finder = (env: NodeJS.ProcessEnv): (() => Promise<Found>) => {
  let known: { identity: string | null; found: Found } | null = null;
  return async () => {
    const identity = identify(env);
    if (identity !== null && known?.identity === identity) return known.found;
    const found = await askVersion(env);
    known = found.iperf3 === null ? null : { identity, found };
    return found;
  };
};

const askVersion = (env: NodeJS.ProcessEnv): Promise<Found> =>
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
