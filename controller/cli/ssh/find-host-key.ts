import type { HostKeyOrder, HostKeyView } from '../../api/ssh-views.ts';
import type { ApiClient } from '../api-client.ts';
import { CommandFailure } from '../failure.ts';
import type { ExpectedKey } from './expected-key.ts';
import type { KnownHosts } from './known-hosts.ts';

/** What is known of a host key before the device is asked. */
export interface Beforehand {
  expected: ExpectedKey | null;
  known: KnownHosts | null;
}

/**
 * Where the host key of a device is from: `told` needs no look at the device; `shown` is what it shows now, `matches` says that this is
 * what was expected. Otherwise why there is none.
 */
export type FoundKey =
  | { ok: true; source: 'told' | 'matches' | 'shown'; key: Pick<HostKeyView, 'host_key'> & Partial<HostKeyView> }
  | { ok: false; problem: string };

/** The key that was told, in whole or by known hosts; null when the device must be asked. */
export const toldKey = ({ host, port }: HostKeyOrder, { expected, known }: Beforehand): FoundKey | null => {
  const host_key =
    expected === null ? (known?.keyOf(host, port) ?? null) : 'host_key' in expected ? expected.host_key : null;
  if (host_key === null) return null;
  if (known?.isRevoked(host, port, host_key))
    return { ok: false, problem: 'the known hosts say that its key is revoked' };
  return { ok: true, source: 'told', key: { host_key } };
};

/** Has the controller ask the device. Throws CommandFailure only when the controller itself is the trouble. */
export const shownKey = async (
  client: ApiClient,
  order: HostKeyOrder,
  { expected, known }: Beforehand,
): Promise<FoundKey> => {
  const answer = await client.hostKey(order);
  if (!answer.ok) return answer;
  const { key } = answer;
  if (known?.isRevoked(order.host, order.port, key.host_key))
    return { ok: false, problem: `it shows the key ${key.fingerprint}, which the known hosts say is revoked` };
  if (expected === null || !('fingerprint' in expected)) return { ok: true, source: 'shown', key };
  if (key.fingerprint === expected.fingerprint) return { ok: true, source: 'matches', key };
  return { ok: false, problem: `it shows the key ${key.fingerprint}, expected was ${expected.fingerprint}` };
};
