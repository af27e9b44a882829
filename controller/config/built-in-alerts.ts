import type { AlertScope, AlertSettings } from './settings.ts';

/** Of a rule that says nothing about whom it is for. */
export const EVERYTHING: AlertScope = {
  organization: null,
  tag: null,
  device: null,
  server: null,
  uplink_group: null,
};

/** A device whose run failed twice in a row: once may be anything, and was tried again within the night already. */
const CHECK_FAILED: AlertSettings = {
  name: 'check-failed',
  subject: 'device',
  metric: 'run.success',
  condition: { kind: 'below', threshold: 1, clear: 1 },
  breaches: 2,
  of: 2,
  severity: 'warning',
  retest: false,
  where: EVERYTHING,
  notify: [],
};

/** A server that so many different devices in a row could not reach. */
const SERVER_DOWN: AlertSettings = {
  ...CHECK_FAILED,
  name: 'server-down',
  subject: 'server',
  breaches: 3,
  of: 3,
  severity: 'critical',
};

/** What a rule about host keys looks at: 0 when a device shows another one than was pinned, 1 when it was measured. */
export const HOST_KEY = 'ssh.host_key';

/** A device over SSH that may be somebody else: nothing is sent to it, and nobody can measure it, until a person has looked. */
const HOST_KEY_CHANGED: AlertSettings = {
  ...CHECK_FAILED,
  name: 'host-key-changed',
  metric: HOST_KEY,
  breaches: 1,
  of: 1,
  severity: 'critical',
};

/** The rules that exist without being written down, by name. */
export const BUILT_IN: ReadonlyMap<string, AlertSettings> = new Map(
  [CHECK_FAILED, SERVER_DOWN, HOST_KEY_CHANGED].map((rule) => [rule.name, rule]),
);
