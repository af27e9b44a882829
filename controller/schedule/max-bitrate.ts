import type { TestPlan } from '../../broker/contract/messages.ts';

/** What iperf3 sends over UDP without `-b`, in bit/s a stream. */
export const UDP_DEFAULT = 1_000_000;

const capped = (test: TestPlan, max: number): TestPlan => {
  const { protocol, streams, bitrate } = test;
  // 80% of a TCP figure that was measured under the same limit.
  if (bitrate === 'auto') return test;
  const asked = bitrate ?? (protocol === 'udp' ? UDP_DEFAULT * streams : Number.POSITIVE_INFINITY);
  return asked > max ? { ...test, bitrate: max } : test;
};

/** The tests as a server with this limit allows them: none asks for more than `max` bit/s; null is no limit. */
export const withinBitrate = (tests: TestPlan[], max: number | null): TestPlan[] =>
  max === null ? tests : tests.map((test) => capped(test, max));
