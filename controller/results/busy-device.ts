import type { SystemLoad } from '../../broker/contract/messages.ts';

/** A CPU that is used this much leaves nothing for a faster test. */
export const CPU_BOUND_PERCENT = 95;

/** How busy the device was during a test. */
export type TestSystem = SystemLoad & { test: string };

/** Whether one of its CPUs was at its end: then the device may have held the test up, not its line. */
export const isAtLimit = ({ cpu_busiest_percent }: SystemLoad): boolean =>
  cpu_busiest_percent !== null && cpu_busiest_percent >= CPU_BOUND_PERCENT;

const offloadWords = (offload: SystemLoad['offload']): string => {
  if (offload === null) return 'flow offloading not known';
  if (!offload.flow) return 'flow offloading off';
  return offload.hardware ? 'flow offloading on, in hardware' : 'flow offloading on';
};

const percentWords = (percent: number | null): string => (percent === null ? 'not known' : `${Math.floor(percent)}%`);

/** What to say of a test during which the device was at its limit. */
export const busyWarning = ({ test, cpu_busiest_percent, softirq_percent, offload }: TestSystem): string =>
  `${test}: the device's busiest CPU was ${percentWords(cpu_busiest_percent)} busy (softirq ${percentWords(softirq_percent)}, ` +
  `${offloadWords(offload)}): the figure may be the router's limit, not the line's`;
