import { measurementPoint, type Point, runPoint } from '../../controller/influx/points.ts';
import type { Measurement } from '../../controller/results/measurement.ts';
import type { Outcome } from '../../controller/run-record.ts';

export const DAY_MS = 24 * 3600 * 1000;
export const NIGHTS = 30;

/** Mbit/s down and up when all is well, and the server. */
const DEVICES = [
  { device: 'ap-1', organization: 'acme', server: 'milan-1', down: 94, up: 20 },
  { device: 'ap-2', organization: 'acme', server: 'milan-1', down: 2, up: 1 },
  { device: 'ap-3', organization: 'acme', server: 'milan-1', down: 80, up: 16 },
  { device: 'ap-4', organization: 'acme', server: 'milan-1', down: 50, up: 10 },
  { device: 'ap-5', organization: 'acme', server: 'milan-1', down: 60, up: 12 },
  { device: 'ap-6', organization: 'acme', server: 'milan-1', down: 70, up: 14 },
  { device: 'cpe-1', organization: 'wisp', server: 'rome-1', down: 300, up: 300 },
  { device: 'cpe-2', organization: 'wisp', server: 'rome-1', down: 30, up: 6 },
  { device: 'cpe-3', organization: 'wisp', server: 'rome-1', down: 40, up: 8 },
  { device: 'cpe-4', organization: 'wisp', server: 'rome-1', down: 45, up: 9 },
] as const;
type Device = (typeof DEVICES)[number];

/** How the run of a device ended `night` nights ago; null: there was none. */
const outcomeOf = ({ device }: Device, night: number): [Outcome, string | null] | null => {
  if (device === 'ap-4' && night < 5) return ['failed', 'unreachable'];
  if (device === 'ap-5' && night < 10) return ['skipped', 'device-offline'];
  if (device === 'ap-6' && night >= 12 && night < 15) return null;
  if (device === 'cpe-3' && night === 3) return ['missed', 'window-closed'];
  if (device === 'cpe-3' && night === 4) return ['cancelled', 'asked by hand'];
  if (device === 'cpe-3' && night === 5) return ['lost', 'no-result'];
  return ['success', null];
};

/** The speed, a share of what it should be: ap-3 fell to half a week ago. */
const shareOf = ({ device }: Device, night: number): number => (device === 'ap-3' && night < 7 ? 0.5 : 1);

const SECONDS = 10;

/** cpe-1 is at its limit, has an old iperf3, and is used by others meanwhile. */
const marksOf = ({ device }: Device): Pick<Measurement, 'cpu_bound' | 'derived' | 'cross_traffic'> =>
  device === 'cpe-1' ? { cpu_bound: true, derived: true, cross_traffic: 2e6 } : {};

const test = (
  protocol: 'tcp' | 'udp',
  direction: 'upload' | 'download',
  bits_per_second: number,
  device: Device,
): Measurement => ({
  test: `${protocol}-${direction}`,
  protocol,
  direction,
  bits_per_second,
  bytes: (bits_per_second * SECONDS) / 8,
  seconds: bits_per_second === 0 ? 0 : SECONDS,
  ...marksOf(device),
  ...(bits_per_second === 0
    ? {}
    : {
        cpu_device_percent: device.device === 'cpe-1' ? 99 : 30,
        cpu_server_percent: 5,
        ...(protocol === 'tcp'
          ? { retransmits: 5, rtt_ms: 12.5 }
          : {
              jitter_ms: device.device === 'cpe-2' ? 9 : 0.4,
              packets: 1000,
              lost_packets: device.device === 'cpe-2' ? 30 : 0,
              lost_percent: device.device === 'cpe-2' ? 3 : 0,
            }),
      }),
});

const measurements = (device: Device, share: number): Measurement[] => [
  test('tcp', 'upload', device.up * share * 1e6, device),
  test('tcp', 'download', device.down * share * 1e6, device),
  test('udp', 'upload', device.up * share * 0.8e6, device),
  test('udp', 'download', device.down * share * 0.8e6, device),
];

/** The points of one run and its tests. The n-th device is measured n minutes after the night began. */
const pointsOf = (device: Device, night: number, now: number): Point[] => {
  const [outcome, reason] = outcomeOf(device, night) ?? [];
  if (outcome === undefined) return [];
  const granted = now - night * DAY_MS - DAY_MS / 4 + DEVICES.indexOf(device) * 60_000;
  const tried = outcome === 'success' || outcome === 'failed' || outcome === 'lost';
  const record = {
    run: `r-${device.device}-${night}`,
    device: device.device,
    organization: device.organization,
    server: tried ? device.server : null,
    via: tried ? ('agent' as const) : null,
    outcome,
    reason: reason ?? null,
    granted_at: tried ? new Date(granted).toISOString() : null,
    queued_s: 60 * DEVICES.indexOf(device),
    duration_s: tried ? 42 : 0,
    attempts: tried ? 1 : 0,
    measurements: [],
    failures: [],
    warnings: [],
  };
  const share = outcome === 'success' ? shareOf(device, night) : 0;
  const tests = outcome === 'success' || outcome === 'failed' ? measurements(device, share) : [];
  return [
    runPoint(record, granted),
    ...tests.map((measurement, index) => measurementPoint(device, measurement, granted + index * SECONDS * 1000)),
  ];
};

/** 30 nights of a fleet with trouble, the last one six hours before `now`. */
export const fleetPoints = (now: number): Point[] =>
  Array.from({ length: NIGHTS }, (_, night) => DEVICES.flatMap((device) => pointsOf(device, night, now))).flat();
