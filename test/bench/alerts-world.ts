import type { AlertWrite } from '../../controller/alerts/write.ts';
import { BUILT_IN, EVERYTHING } from '../../controller/config/built-in-alerts.ts';
import type { AlertSettings } from '../../controller/config/settings.ts';
import { demoTests } from '../../controller/demo/demo.ts';
import type { Measurement } from '../../controller/results/measurement.ts';
import type { Store } from '../../controller/store/store.ts';
import { storeRun } from '../helpers/stored-run.ts';

export const DEVICES = 10_000;
export const RULES = 1000;
export const ORGANIZATIONS = 100;
export const SERVERS = 20;

/** One value in so many is bad: so often a state changes. */
const BAD_SHARE = 0.02;

/** One drop rule is for everybody, and nine for one organization each. */
const DROPS = { first: 8, last: 17 };

/** Devices of an organization with a drop rule of its own have been measured each hour of 14 days. */
export const MEASURED = { organization: 9, devices: 50, hours: 336 };
const measuredDevice = (index: number): number => MEASURED.organization + ORGANIZATIONS * index;
const HOUR_MS = 3_600_000;
const T0 = 1_800_000_000_000;

const METRICS: readonly [metric: string, kind: 'below' | 'above', threshold: number, clear: number][] = [
  ['tcp.download.bits_per_second', 'below', 20e6, 25e6],
  ['tcp.upload.bits_per_second', 'below', 5e6, 6e6],
  ['udp.upload.jitter_ms', 'above', 30, 20],
  ['udp.upload.lost_percent', 'above', 2, 1],
  ['tcp.download.rtt_ms', 'above', 100, 80],
  ['tcp.upload.retransmits', 'above', 1000, 500],
  ['run.success', 'below', 1, 1],
];

export const organizationOf = (device: number): string => `organization-${device % ORGANIZATIONS}`;

/** The built-in ones, 9 for everybody, and the others for one organization each: some ten for each. */
export const rules = (): AlertSettings[] => {
  const own = Array.from({ length: RULES - BUILT_IN.size }, (_, index): AlertSettings => {
    const [metric, kind, threshold, clear] = METRICS[index % METRICS.length] ?? ['run.success', 'below', 1, 1];
    const isDrop = index >= DROPS.first && index <= DROPS.last;
    const about: Pick<AlertSettings, 'metric' | 'condition'> = isDrop
      ? {
          metric: 'tcp.download.bits_per_second',
          condition: { kind: 'drop', percent: 40, clear: 20, over_ms: MEASURED.hours * HOUR_MS },
        }
      : { metric, condition: { kind, threshold, clear } };
    const organization = index <= DROPS.first ? null : `organization-${index % ORGANIZATIONS}`;
    return {
      ...{ name: `rule-${index}`, subject: 'device', ...about },
      ...{ breaches: 2, of: 3, severity: 'warning', retest: false, notify: ['noc'] },
      where: { ...EVERYTHING, organization },
    };
  });
  return [...[...BUILT_IN.values()].map((rule) => ({ ...rule, notify: ['noc'] })), ...own];
};

const measurementsOf = (bad: boolean, random: number): Measurement[] =>
  demoTests(10).map(({ test, protocol }) => {
    const direction = test.endsWith('download') ? 'download' : 'upload';
    const both = {
      test,
      protocol,
      direction,
      bytes: 117_515_432,
      seconds: 10,
      bits_per_second: bad ? 1e6 : 90e6 + random * 4e6,
    } as const;
    const cpu = { cpu_device_percent: 31, cpu_server_percent: 4 };
    return protocol === 'tcp'
      ? { ...both, ...cpu, retransmits: 3, rtt_ms: 4.2 }
      : { ...both, ...cpu, jitter_ms: bad ? 50 : 0.4, packets: 80_000, lost_packets: 12, lost_percent: 0.015 };
  });

/** Whose write comes when. */
export type Turn = (token: number, random: () => number) => { device: number; at_ms: number };

/** Any device, a second after the one before. */
export const anybody: Turn = (token, random) => ({ device: Math.floor(random() * DEVICES), at_ms: T0 + token * 1000 });

/** Devices with a history, one after another, each every hour; after what anybody wrote. */
export const hourly: { first: number; turn: Turn } = {
  first: 100_000,
  turn: (token) => ({
    device: measuredDevice(token % MEASURED.devices),
    at_ms: T0 + Math.round((token - hourly.first) * (HOUR_MS / MEASURED.devices)) + 24 * HOUR_MS,
  }),
};

export const writeOf = (token: number, random: () => number, turn: Turn): AlertWrite => {
  const { device, at_ms } = turn(token, random);
  const measurements = measurementsOf(random() < BAD_SHARE, random()).map((measurement, index) => ({
    measurement,
    time_ms: at_ms + index * 11_000,
  }));
  return {
    ...{ run: `r-${token}`, token, at_ms, measurements, reached: true },
    device: `device-${device}`,
    server: `server-${token % SERVERS}`,
    end: { outcome: 'success', reason: null, time_ms: at_ms, zeros: [] },
  };
};

/** A linear congruential generator: the same writes each time. */
export const seeded = (seed: number) => () => {
  seed = (seed * 1_664_525 + 1_013_904_223) % 2 ** 32;
  return seed / 2 ** 32;
};

/** The downloads of these devices, each hour until a day after T0. */
export const rememberHours = (store: Store): void => {
  const random = seeded(1);
  store.deferred(() => {
    for (let index = 0; index < MEASURED.hours * MEASURED.devices; index++) {
      const at_ms = T0 + (24 - 1 - Math.floor(index / MEASURED.devices)) * HOUR_MS;
      const device = measuredDevice(index % MEASURED.devices);
      storeRun(store, { device: `device-${device}`, at_ms, token: 1_000_000 + index }, measurementsOf(false, random()));
    }
  });
};
