import type { TestPlan } from '../../../broker/contract/messages.ts';
import type { RunRecord } from '../../../controller/run-record.ts';

/** A TCP upload under this name. */
export const plan = (test: string, duration_s: number, omit_s = 0): TestPlan => ({
  test,
  protocol: 'tcp',
  direction: 'upload',
  duration_s,
  omit_s,
  streams: 1,
  bitrate: null,
  length: null,
  window: null,
  congestion: null,
});

/** A run as it looks when it is over and all went well; `changes` say what is different. */
export const runRecord = (changes: Partial<RunRecord> = {}): RunRecord => ({
  run: 'r-1',
  device: 'ap-12',
  organization: 'acme',
  server: 'milan-1',
  via: 'agent',
  outcome: 'success',
  reason: null,
  granted_at: '2026-11-22T02:00:01.250Z',
  queued_s: 1.2,
  duration_s: 31.4,
  attempts: 1,
  measurements: [
    {
      test: 'tcp-upload',
      protocol: 'tcp',
      direction: 'upload',
      bits_per_second: 94012345.6,
      bytes: 117515432,
      seconds: 10,
      retransmits: 3,
      rtt_ms: 4.2,
    },
    {
      test: 'tcp-download',
      protocol: 'tcp',
      direction: 'download',
      bits_per_second: 187654321,
      bytes: 234567901,
      seconds: 10,
      retransmits: 0,
      rtt_ms: 12.04,
    },
    {
      test: 'udp-upload',
      protocol: 'udp',
      direction: 'upload',
      bits_per_second: 75000000,
      bytes: 93750000,
      seconds: 10,
      jitter_ms: 0.0421,
      packets: 64000,
      lost_packets: 160,
      lost_percent: 0.25,
    },
  ],
  failures: [],
  warnings: [],
  ...changes,
});
