import { expect, it } from 'vitest';
import { refusal, skipReason } from '../../../controller/runs/untried.ts';

it.each([
  ['iperf3-missing: not found', { class: 'local', message: 'iperf3-missing: not found', retryable: false }],
  [
    'ssh-failed: /tmp cannot be written',
    { class: 'local', message: 'ssh-failed: /tmp cannot be written', retryable: false },
  ],
  ['unresolved: no address', { class: 'unreachable', message: 'unresolved: no address', retryable: true }],
  ['ssh-auth-failed: no', { skipped: 'ssh-auth-failed' }],
  ['host-key-changed: it is SHA256:x', { skipped: 'host-key-changed' }],
])('a run that is refused with "%s" is failed, or skipped when its device could not be entered', (reason, meant) => {
  expect(refusal(reason)).toEqual(meant);
});

it.each([
  ['declined: device-unreachable: no route', 'ssh', 'device-unreachable'],
  ['device-silent', 'ssh', 'device-unreachable'],
  ['device-silent', 'agent', 'device-silent'],
  ['declined: busy', 'agent', 'declined: busy'],
] as const)('a run that is skipped with "%s" via %s says "%s"', (said, via, reason) => {
  expect(skipReason(said, via)).toBe(reason);
});
