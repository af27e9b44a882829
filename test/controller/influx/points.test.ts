import { expect, test } from 'vitest';
import { measurementPoint, Point, runPoint } from '../../../controller/influx/points.ts';
import type { Measurement } from '../../../controller/results/measurement.ts';
import type { RunRecord } from '../../../controller/run-record.ts';

const RUN = { device: 'ap-12', organization: 'acme', server: 'milan-1' };
const TCP: Measurement = {
  test: 'tcp-upload',
  protocol: 'tcp',
  direction: 'upload',
  bits_per_second: 94_000_000,
  bytes: 117_500_000,
  seconds: 10,
  retransmits: 3,
  rtt_ms: 4.2,
  cpu_device_percent: 31,
  cpu_server_percent: 4.1,
};
const RECORD: RunRecord = {
  run: 'r-1',
  device: 'ap-12',
  organization: 'acme',
  server: 'milan-1',
  via: 'agent',
  outcome: 'success',
  reason: null,
  granted_at: '2026-11-22T02:00:01.250Z',
  queued_s: 1,
  duration_s: 31.4,
  attempts: 1,
  measurements: [],
  failures: [],
  warnings: [],
};

test('a TCP measurement has the fields of the schema, each under its type, and nothing else', () => {
  expect(measurementPoint(RUN, TCP, 1_795_312_801_262.4)).toEqual({
    measurement: 'iperf3',
    tags: { ...RUN, protocol: 'tcp', direction: 'upload' },
    floats: { bits_per_second: 94_000_000, seconds: 10, rtt_ms: 4.2, cpu_device_percent: 31, cpu_server_percent: 4.1 },
    integers: { bytes: 117_500_000, retransmits: 3 },
    strings: {},
    time_ms: 1_795_312_801_262,
  });
});

test('the marks are the integer 1 where they are, and the traffic of others is a float', () => {
  const marked: Measurement = { ...TCP, cpu_bound: true, derived: true, cross_traffic: 0 };
  expect(measurementPoint(RUN, marked, 0)).toMatchObject({
    floats: { cross_traffic: 0 },
    integers: { bytes: 117_500_000, retransmits: 3, cpu_bound: 1, derived: 1 },
  });
});

test('a UDP measurement has its own fields', () => {
  const udp: Measurement = {
    test: 'udp-download',
    protocol: 'udp',
    direction: 'download',
    bits_per_second: 0,
    bytes: 0,
    seconds: 10,
    jitter_ms: 0,
    packets: 1000,
    lost_packets: 1000,
    lost_percent: 100,
  };
  expect(measurementPoint(RUN, udp, 0)).toMatchObject({
    tags: { protocol: 'udp', direction: 'download' },
    floats: { bits_per_second: 0, seconds: 10, jitter_ms: 0, lost_percent: 100 },
    integers: { bytes: 0, packets: 1000, lost_packets: 1000 },
  });
});

test('a run has its point, and its id is a field and never a tag', () => {
  expect(runPoint(RECORD, 1000)).toEqual({
    measurement: 'iperf3_run',
    tags: { ...RUN, via: 'agent', outcome: 'success' },
    floats: { duration_s: 31.4, queued_s: 1 },
    integers: { success: 1, attempts: 1 },
    strings: { run: 'r-1' },
    time_ms: 1000,
  });
});

test.each([
  ['success', 1],
  ['failed', 0],
  ['lost', 0],
  ['skipped', undefined],
  ['missed', undefined],
  ['cancelled', undefined],
] as const)('a run that is %s has success %s', (outcome, success) => {
  expect(runPoint({ ...RECORD, outcome }, 0)).toMatchObject({ tags: { outcome } });
  const { integers } = runPoint({ ...RECORD, outcome }, 0);
  expect('success' in integers ? integers.success : undefined).toBe(success);
});

test('a run that never had a slot has no tag for the server nor for the way', () => {
  const skipped: RunRecord = { ...RECORD, outcome: 'skipped', reason: 'offline', server: null, via: null };
  expect(runPoint(skipped, 0)).toMatchObject({
    tags: { device: 'ap-12', organization: 'acme', outcome: 'skipped' },
    strings: { reason: 'offline', run: 'r-1' },
  });
  expect(Object.keys(runPoint(skipped, 0).tags)).not.toContain('server');
});

test('a reason of several lines becomes one', () => {
  const point = runPoint({ ...RECORD, outcome: 'failed', reason: 'no route\r\nto host\u0000' }, 0);
  expect(point.strings).toMatchObject({ reason: 'no route to host ' });
});

test.each(['a\nb', 'a\\', 'a b', 'a,b=c', ''])('a tag of %j is refused, whichever client would write it', (device) => {
  expect(() => measurementPoint({ ...RUN, device }, TCP, 0)).toThrow('expected 1 to 64 letters');
});

test('a number that is not finite, and a field of another measurement, are refused', () => {
  const point = measurementPoint(RUN, TCP, 0);
  expect(() => measurementPoint(RUN, { ...TCP, bits_per_second: Number.NaN }, 0)).toThrow();
  expect(Point.safeParse({ ...point, floats: { duration_s: 1 } }).success).toBe(false);
});
