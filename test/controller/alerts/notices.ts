import type { AlertNotice } from '../../../controller/alerts/notice.ts';

/** A notice that a device is slow; `changes` say what is different. */
export const notice = (changes: Partial<AlertNotice> = {}): AlertNotice => ({
  id: 'n-1',
  alert: 'a-1',
  rule: 'slow-download',
  severity: 'critical',
  state: 'firing',
  subject: { kind: 'device', name: 'ap-12' },
  organization: 'acme',
  server: 'milan-1',
  metric: 'tcp.download.bits_per_second',
  value: 18_200_000,
  reason: '18.2 Mbit/s is below 20 Mbit/s in 2 of 3 runs',
  run: 'r-1',
  firing_since: '2026-11-22T02:10:31.000Z',
  at: '2026-11-22T02:10:31.000Z',
  ...changes,
});

/** As many notices, each with an id of its own: `n-1`, `n-2`, … */
export const notices = (count: number): AlertNotice[] =>
  Array.from({ length: count }, (_, index) => notice({ id: `n-${index + 1}` }));

/** Nobody gives up. */
export const patience = new AbortController().signal;
