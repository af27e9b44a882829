import type { TestPlan } from '../../broker/contract/messages.ts';

/** What to say of the tests that were granted with a lower bitrate than they were planned with: their server takes no more. */
export const limitWarnings = (planned: readonly TestPlan[], granted: readonly TestPlan[], server: string): string[] =>
  granted.flatMap(({ test, bitrate }) => {
    const asked = planned.find((one) => one.test === test)?.bitrate;
    if (typeof bitrate !== 'number' || asked === undefined || asked === bitrate) return [];
    return [`${test}: limited to ${bitrate / 1e6} Mbit/s, the max_bitrate of server ${server}`];
  });
