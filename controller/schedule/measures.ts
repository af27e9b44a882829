import type { TestPlan } from '../../broker/contract/messages.ts';
import { HOST_KEY } from '../config/built-in-alerts.ts';

/** Whether a test brings a value of the metric, such as `tcp.upload.rtt_ms`. Any does of `run.success`, and of whether a device is the one that we know. */
export const measures = (
  { protocol, direction }: Pick<TestPlan, 'protocol' | 'direction'>,
  metric: string,
): boolean => {
  const [wanted, way] = metric.split('.');
  return (
    metric === 'run.success' ||
    metric === HOST_KEY ||
    (protocol === wanted && (direction === way || direction === 'bidir'))
  );
};
