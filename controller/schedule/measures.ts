import type { TestPlan } from '../../broker/contract/messages.ts';

/** Whether a test brings a value of the metric, such as `tcp.upload.rtt_ms`. Any does of `run.success`. */
export const measures = (
  { protocol, direction }: Pick<TestPlan, 'protocol' | 'direction'>,
  metric: string,
): boolean => {
  const [wanted, way] = metric.split('.');
  return metric === 'run.success' || (protocol === wanted && (direction === way || direction === 'bidir'));
};
