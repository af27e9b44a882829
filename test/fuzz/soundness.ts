import { Failure, Measurement, type Reading } from '../../controller/results/measurement.ts';

const RETRYABLE = ['busy', 'unreachable', 'link-lost'];

/** Whether rate, bytes and seconds can be of one measurement; bytes that were derived are whole. */
const agree = ({ bits_per_second, bytes, seconds }: Measurement): boolean => {
  const carried = (bits_per_second * seconds) / 8;
  return bytes - 1 <= 2 * carried && carried <= 2 * (bytes + 1);
};

/** What is wrong with a reading, whatever was read; null when nothing is. */
export const unsound = (reading: Reading): string | null => {
  if (!reading.ok) {
    if (!Failure.safeParse(reading.failure).success) return 'its failure is none';
    if (reading.failure.retryable !== RETRYABLE.includes(reading.failure.class)) return 'it is retryable or not';
    if (reading.measurements.length > 1) return 'it failed, and has all measurements';
  }
  if (reading.ok && reading.measurements.length === 0) return 'it has no measurement';
  for (const measurement of reading.measurements) {
    if (!Measurement.safeParse(measurement).success) return 'a measurement is none';
    for (const [key, value] of Object.entries(measurement))
      if (typeof value === 'number' && !(Number.isFinite(value) && value >= 0)) return `${key} is ${value}`;
    if (measurement.bytes <= 0) return 'nothing arrived';
    if (!agree(measurement)) return 'rate, bytes and seconds contradict each other';
    if ((measurement.lost_percent ?? 0) > 100) return `lost_percent is ${measurement.lost_percent}`;
    if ((measurement.cpu_bound === true) !== (measurement.cpu_device_percent ?? 0) >= 95) return 'cpu_bound is wrong';
  }
  return null;
};
