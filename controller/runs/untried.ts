import type { Via } from '../drivers/routes.ts';
import type { Failure } from '../results/measurement.ts';
import { reasonCode } from '../slots/answers.ts';

/** What keeps us from a device, so that nothing is known of its network: its run is skipped at once. */
const NO_ENTRY = ['ssh-auth-failed', 'host-key-changed'];

/**
 * What a refused run's reason means: the run is skipped, or failed. A name that does not resolve is the network's fault, everything else the
 * device's.
 */
export const refusal = (reason: string): { skipped: string } | Failure => {
  const code = reasonCode(reason);
  if (NO_ENTRY.includes(code)) return { skipped: code };
  return code === 'unresolved'
    ? { class: 'unreachable', message: reason, retryable: true }
    : { class: 'local', message: reason, retryable: false };
};

/** Why a run was skipped, as it is recorded. Over SSH a device that says nothing is one that we have not reached within our patience. */
export const skipReason = (reason: string, via: Via): string => {
  const isUnreached =
    reason.startsWith('declined: device-unreachable') || (via === 'ssh' && reason === 'device-silent');
  return isUnreached ? 'device-unreachable' : reason;
};
