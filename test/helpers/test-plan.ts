import type { TestPlan } from '../../broker/contract/messages.ts';

/** A TCP upload of 10 s, as the default check has it, with what a test needs to be different. */
export const testPlan = (more: Partial<TestPlan> = {}): TestPlan => ({
  test: 'tcp-upload',
  protocol: 'tcp',
  direction: 'upload',
  duration_s: 10,
  omit_s: 0,
  streams: 1,
  bitrate: null,
  length: null,
  window: null,
  congestion: null,
  ...more,
});
