import { describe, expect } from 'vitest';
import type { RunRecord } from '../../controller/run-record.ts';
import { fleetTest } from '../helpers/fleet-test.ts';
import { InfluxDb } from '../helpers/influxdb.ts';
import { ONE_SECOND } from '../helpers/real-fleet.ts';
import { until } from '../helpers/until.ts';
import { VictoriaMetrics } from '../helpers/victoria-metrics.ts';

const test = fleetTest(['s-1', 's-2']);

const DEVICES = ['ap-1', 'ap-2', 'ap-3'];

const TESTS = [
  ONE_SECOND,
  { ...ONE_SECOND, direction: 'download' },
  { ...ONE_SECOND, protocol: 'udp', bitrate: 'auto' },
];

/** The keys that a run has, in their order. */
const RECORD_KEYS = [
  ...['run', 'device', 'organization', 'server', 'via', 'outcome', 'reason', 'granted_at', 'queued_s', 'duration_s'],
  ...['attempts', 'measurements', 'failures', 'warnings', 'system'],
];
const BOTH = ['test', 'protocol', 'direction', 'bits_per_second', 'bytes', 'seconds'];
const CPU = ['cpu_device_percent', 'cpu_server_percent'];

const keysOf = (values: readonly object[]) => values.map((value) => Object.keys(value).sort());

const expectGood = (record: RunRecord | undefined) => {
  expect(record).toMatchObject({ outcome: 'success', reason: null, via: 'agent', attempts: 1, failures: [] });
  expect(Object.keys(record ?? {})).toEqual(RECORD_KEYS);
  const { measurements = [] } = record ?? {};
  expect(measurements.map((one) => one.test)).toEqual(['tcp-upload', 'tcp-download', 'udp-upload']);
  const upload = [...BOTH, 'retransmits', 'rtt_ms', ...CPU].sort();
  // The sender knows the round trip time: of a download that is the server.
  const download = [...BOTH, 'retransmits', ...CPU].sort();
  const udp = [...BOTH, 'jitter_ms', 'packets', 'lost_packets', 'lost_percent', ...CPU].sort();
  expect(keysOf(measurements)).toEqual([upload, download, udp]);
  for (const { bits_per_second } of measurements) {
    expect(bits_per_second).toBeGreaterThan(10e6);
    expect(bits_per_second).toBeLessThan(30e6);
  }
};

describe('a small fleet', () => {
  test.concurrent('is measured at night, device by device, and every measurement is one point', async ({ fleet }) => {
    const influxdb = await InfluxDb.prepare();
    fleet.alsoStop(() => influxdb.remove());
    await influxdb.start();
    await influxdb.query('CREATE DATABASE perfleet');
    const influx = { version: 1, url: influxdb.url, database: 'perfleet' };
    // Devices join the night that follows; so they are there before the schedule is known.
    const day = await fleet.serve({ influx, check: { tests: TESTS, schedule: '0 0 29 2 *' } });
    const credentials = await Promise.all(DEVICES.map((device) => fleet.addDevice(device)));
    expect(await day.end('SIGTERM')).toEqual({ code: 0, signal: null });
    const now = new Date();
    const schedule = `${now.getUTCMinutes()} ${now.getUTCHours()} * * *`;
    await fleet.serve({ influx, check: { enabled: true, tests: TESTS, schedule, window: '10m', retries: 0 } });
    for (const one of credentials) fleet.agent(one);

    const records = await until(
      'all devices are measured',
      async () => {
        const runs = await fleet.api.runs({});
        return runs.length === 3 && runs.every(({ outcome }) => outcome !== null) ? runs : null;
      },
      40,
    );
    for (const record of records) expectGood(record);
    expect(records.map(({ device }) => device).sort()).toEqual(DEVICES);
    expect(new Set(records.map(({ server }) => server))).toEqual(new Set(['s-1', 's-2']));
    expect(fleet.witness()).toHaveLength(18);

    const results = await fleet.cli('results', '--json');
    expect(results).toMatchObject({ code: 0, err: '' });
    expect(JSON.parse(results.out)).toEqual(records);

    await until('all points are written', async () => (await fleet.status()).influx?.waiting === 0);
    const query = (influxql: string) => influxdb.query(influxql, 'perfleet');
    expect(await query('SELECT count(bits_per_second), count(bytes), count(seconds) FROM iperf3')).toEqual([
      [0, 9, 9, 9],
    ]);
    expect(await query('SELECT count(success), sum(success) FROM iperf3_run')).toEqual([[0, 3, 3]]);
    expect(Object.fromEntries(await query('SHOW FIELD KEYS FROM iperf3'))).toEqual({
      bits_per_second: 'float',
      bytes: 'integer',
      seconds: 'float',
      retransmits: 'integer',
      rtt_ms: 'float',
      jitter_ms: 'float',
      packets: 'integer',
      lost_packets: 'integer',
      lost_percent: 'float',
      cpu_device_percent: 'float',
      cpu_server_percent: 'float',
    });
    expect((await query('SHOW TAG KEYS FROM iperf3')).flat()).toEqual([
      'device',
      'direction',
      'organization',
      'protocol',
      'server',
    ]);
    expect(Object.fromEntries(await query('SHOW FIELD KEYS FROM iperf3_run'))).toEqual({
      success: 'integer',
      duration_s: 'float',
      queued_s: 'float',
      attempts: 'integer',
      run: 'string',
    });
    expect((await query('SHOW TAG KEYS FROM iperf3_run')).flat()).toEqual([
      'device',
      'organization',
      'outcome',
      'server',
      'via',
    ]);
    const [first] = records.filter(({ device }) => device === 'ap-1');
    const times = await query(`SELECT bits_per_second FROM iperf3 WHERE device = 'ap-1'`);
    expect(times).toHaveLength(3);
    expect(times.map(([, rate]) => rate)).toEqual(first?.measurements.map((one) => one.bits_per_second));
    const [[granted] = []] = await query(`SELECT success FROM iperf3_run WHERE device = 'ap-1'`);
    expect(granted).toBe(Date.parse(first?.granted_at ?? ''));
  });

  test.concurrent('is measured on demand from the command line, with points in VictoriaMetrics', async ({ fleet }) => {
    const victoria = await VictoriaMetrics.prepare();
    fleet.alsoStop(() => victoria.remove());
    await victoria.start();
    const influx = {
      version: 2,
      url: victoria.url,
      organization: 'wisp',
      bucket: 'perfleet',
      token_file: 'http-token',
    };
    await fleet.serve({ influx, check: { tests: TESTS, retries: 0 } });
    await fleet.join('ap-1');

    const json = await fleet.cli('run', 'ap-1', '--server', 's-2', '--json');
    expect(json).toMatchObject({ code: 0, err: '' });
    const record: RunRecord = JSON.parse(json.out);
    expectGood(record);
    expect(record).toMatchObject({ device: 'ap-1', organization: 'default', server: 's-2' });

    const text = await fleet.cli('run', 'ap-1');
    expect(text.code).toBe(0);
    for (const word of ['success', 'tcp-upload', 'tcp-download', 'udp-upload']) expect(text.out).toContain(word);
    expect(text.err).toMatch(/measuring on s-\d: 3 tests/);

    expect(await fleet.cli('run', 'ap-9')).toMatchObject({
      code: 1,
      out: '',
      err: expect.stringContaining('there is no device ap-9'),
    });
    const nowhere = await fleet.cli('run', 'ap-1', '--server', 's-9');
    expect(nowhere).toMatchObject({ code: 1, out: '' });
    expect(nowhere.err).toContain('known servers: s-1, s-2');
    expect((await fleet.cli('run')).code).toBe(2);
    const twice = await fleet.cli('device', 'add', 'ap-1', '--json');
    expect(twice).toMatchObject({ code: 1, out: '' });

    await until('all points are written', async () => (await fleet.status()).influx?.waiting === 0);
    const series = await victoria.samples('iperf3_bits_per_second');
    expect(series.flatMap(({ values }) => values)).toHaveLength(6);
    expect((await victoria.samples('iperf3_run_success')).flatMap(({ values }) => values)).toEqual([1, 1]);
  });
});
