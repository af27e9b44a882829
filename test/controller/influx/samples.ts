import { measurementPoint, type Point, runPoint } from '../../../controller/influx/points.ts';

export const T0 = Date.UTC(2026, 10, 20, 2);

/** `count` points, each of its own device and time. */
export const points = (count: number, changes: { device?: string; from?: number } = {}): Point[] =>
  Array.from({ length: count }, (_, index) =>
    measurementPoint(
      { device: changes.device ?? `ap-${index}`, organization: 'acme', server: 'milan-1' },
      {
        test: 'tcp-upload',
        protocol: 'tcp',
        direction: 'upload',
        bits_per_second: 94_000_000,
        bytes: 117_500_000,
        seconds: 10,
        retransmits: 3,
        rtt_ms: 4,
        cpu_device_percent: 31,
        cpu_server_percent: 4,
      },
      T0 + (changes.from ?? 0) + index,
    ),
  );

/** A point of each kind, with every field of the schema between them. */
export const oneOfEach = (reason = 'no route'): Point[] => [
  ...points(1),
  measurementPoint(
    { device: 'ap-0', organization: 'acme', server: 'milan-1' },
    {
      test: 'udp-upload',
      protocol: 'udp',
      direction: 'upload',
      bits_per_second: 1_000_000,
      bytes: 1_250_000,
      seconds: 10,
      jitter_ms: 1,
      packets: 1000,
      lost_packets: 1,
      lost_percent: 0.1,
      cpu_device_percent: 31,
      cpu_server_percent: 4,
    },
    T0,
  ),
  runPoint(
    {
      run: 'r-1',
      device: 'ap-0',
      organization: 'acme',
      server: 'milan-1',
      via: 'agent',
      outcome: 'failed',
      reason,
      queued_s: 1,
      duration_s: 31,
      attempts: 2,
    },
    T0,
  ),
];
