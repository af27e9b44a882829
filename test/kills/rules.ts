import type { Measurement } from '../../controller/results/measurement.ts';

/** A rule that fires with its first bad value, and is over with the first that is clear of it. */
interface FlippingRule {
  name: string;
  test: string;
  field: 'bits_per_second' | 'retransmits' | 'jitter_ms';
  kind: 'below' | 'above';
  limit: number;
  clear: number;
}

/** The corpus' values of each version of iperf3 lie on both sides of these: with each few results of a device, in turn of versions, they flip. */
export const RULES: readonly FlippingRule[] = [
  { name: 'slow-upload', test: 'tcp-upload', field: 'bits_per_second', kind: 'below', limit: 18e9, clear: 18e9 },
  { name: 'resent', test: 'tcp-download', field: 'retransmits', kind: 'above', limit: 12, clear: 10 },
  { name: 'jitter', test: 'udp-upload', field: 'jitter_ms', kind: 'above', limit: 1, clear: 0.01 },
];

/** As they stand under `alerts` in a configuration. */
export const rulesInFile = (): object[] =>
  RULES.map(({ name, test, field, kind, limit, clear }) => {
    const written = (value: number) => (field === 'jitter_ms' ? `${value}ms` : value);
    const metric = `${test.replace('-', '.')}.${field}`;
    return { name, metric, [kind]: written(limit), clear: written(clear) };
  });

/** A change of an alert's state: what somebody has to be told once. */
export interface StateChange {
  device: string;
  rule: string;
  state: 'firing' | 'resolved';
  run: string;
}

/** A run of a device with what it measured. */
export interface Measured {
  device: string;
  run: string;
  measurements: readonly { measurement: Measurement }[];
}

const changesOf = (rule: FlippingRule, runs: readonly Measured[]): StateChange[] => {
  const { name, test, field, kind, limit, clear } = rule;
  const firing = new Set<string>();
  return runs.flatMap(({ device, run, measurements }) => {
    const value = measurements.find(({ measurement }) => measurement.test === test)?.measurement[field];
    if (value == null) return [];
    const [isBad, isClear] = kind === 'below' ? [value < limit, value >= clear] : [value > limit, value <= clear];
    if (firing.has(device) ? !isClear : !isBad) return [];
    const state = firing.delete(device) ? 'resolved' : 'firing';
    if (state === 'firing') firing.add(device);
    return [{ device, rule: name, state, run }];
  });
};

/** All that the rules make of these runs, which are in the order of their grants; the changes of each alert in order. */
export const expectedChanges = (runs: readonly Measured[]): StateChange[] =>
  RULES.flatMap((rule) => changesOf(rule, runs));
