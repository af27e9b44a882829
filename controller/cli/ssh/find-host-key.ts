import type { HostKeyOrder, HostKeyView } from '../../api/ssh-views.ts';
import type { ApiClient } from '../api-client.ts';
import type { ExpectedKey } from './expected-key.ts';
import type { KnownHosts } from './known-hosts.ts';

/** What is known of a host key before the device is asked. */
export interface Beforehand {
  expected: ExpectedKey | null;
  known: KnownHosts | null;
}

type Problem = { ok: false; problem: string };

/** The key that somebody told: the whole of it, or by known hosts. Null when the device must be asked. */
export const toldKey = (
  { host, port }: HostKeyOrder,
  { expected, known }: Beforehand,
): { ok: true; host_key: string } | Problem | null => {
  if (expected !== null && 'fingerprint' in expected) return null;
  const host_key = expected?.host_key ?? known?.keyOf(host, port) ?? null;
  if (host_key === null) return null;
  const isRevoked = known?.isRevoked(host, port, host_key) ?? false;
  return isRevoked ? { ok: false, problem: 'the known hosts say that its key is revoked' } : { ok: true, host_key };
};

/** The key that the device shows the controller; `expected` is whether it is the one that somebody told the fingerprint of. */
export const shownKey = async (
  client: ApiClient,
  order: HostKeyOrder,
  { expected, known }: Beforehand,
): Promise<{ ok: true; key: HostKeyView; expected: boolean } | Problem> => {
  const answer = await client.hostKey(order);
  if (!answer.ok) return answer;
  const { host_key, fingerprint } = answer.key;
  if (known?.isRevoked(order.host, order.port, host_key))
    return { ok: false, problem: `it shows the key ${fingerprint}, which the known hosts say is revoked` };
  if (expected === null || !('fingerprint' in expected)) return { ...answer, expected: false };
  if (expected.fingerprint === fingerprint) return { ...answer, expected: true };
  return { ok: false, problem: `it shows the key ${fingerprint}, expected is ${expected.fingerprint}` };
};
