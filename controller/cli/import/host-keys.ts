import type { ApiClient } from '../api-client.ts';
import { type Beforehand, shownKey, toldKey } from '../ssh/find-host-key.ts';
import type { KnownHosts } from '../ssh/known-hosts.ts';
import type { DeviceLine } from './devices-csv.ts';
import type { LineProblem } from './line-problems.ts';

/** So many are asked at once; the controller has bounds of its own for each address. */
const AT_ONCE = 32;

export interface KeyOptions {
  known: KnownHosts | null;
  /** Somebody has said that whatever the devices show is right. */
  accept: boolean;
  /** Called at each tenth of those that must be asked. */
  onProgress: (done: number, all: number) => void;
}

const NOBODY_KNOWS =
  'ssh: nobody knows its host key: fill column host_key, give --known-hosts, or take what it shows with --accept-host-keys';

/** Calls `work` for each item, at most `AT_ONCE` at a time. */
const forEachAtOnce = async <T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> => {
  const rest = items.values();
  const worker = async () => {
    for (const item of rest) await work(item);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
};

/** The host keys to pin, by device: those that were told, and those that devices show the controller. */
export const findHostKeys = async (
  client: ApiClient,
  lines: readonly DeviceLine[],
  { known, accept, onProgress }: KeyOptions,
): Promise<{ keys: Map<string, string>; problems: LineProblem[] }> => {
  const keys = new Map<string, string>();
  const problems: LineProblem[] = [];
  const toAsk: { line: number; device: string; order: Parameters<typeof toldKey>[0]; before: Beforehand }[] = [];
  for (const { line, device, organization, ssh, expected } of lines) {
    if (ssh === null) continue;
    const { host, port, credentials } = ssh;
    const order = { host, port, organization, credentials };
    const before = { expected, known };
    const told = toldKey(order, before);
    if (told?.ok) keys.set(device, told.host_key);
    else if (told !== null) problems.push({ line, message: `ssh: ${told.problem}` });
    else if (expected === null && !accept) problems.push({ line, message: NOBODY_KNOWS });
    else toAsk.push({ line, device, order, before });
  }
  let done = 0;
  await forEachAtOnce(toAsk, async ({ line, device, order, before }) => {
    const shown = await shownKey(client, order, before);
    if (shown.ok) keys.set(device, shown.key.host_key);
    else problems.push({ line, message: `ssh: ${shown.problem}` });
    done += 1;
    const tenths = (count: number) => Math.floor((10 * count) / toAsk.length);
    if (tenths(done) > tenths(done - 1)) onProgress(done, toAsk.length);
  });
  return { keys, problems };
};
