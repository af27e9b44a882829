import type { Problem } from '../api/problem.ts';
import { refusal } from '../api/refusal.ts';
import type { Settings } from '../config/settings.ts';

type Unknown = { ok: false; problem: Problem };

/** There is no such device, and where to find those there are. */
export const unknownDevice = (device: string): Unknown =>
  refusal('not-found', `there is no device ${device}; perfleet device list shows all`);

/** There is no such server in the configuration, and which there are. */
export const unknownServer = (server: string, { servers }: Settings): Unknown => {
  const known = [...servers.keys()].join(', ') || 'none';
  return refusal('not-found', `server ${server} is not in the configuration; known servers: ${known}`);
};

/** There is no such run. */
export const unknownRun = (run: string): Unknown => refusal('not-found', `there is no run ${run}`);
