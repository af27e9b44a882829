import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import Table from 'cli-table3';
import { systemClock } from '../../broker/clock.ts';
import { Alerts } from '../../controller/alerts/alerts.ts';
import type { AlertWrite } from '../../controller/alerts/write.ts';
import { BUILT_IN, EVERYTHING } from '../../controller/config/built-in-alerts.ts';
import type { AlertSettings } from '../../controller/config/settings.ts';
import { demoTests } from '../../controller/demo/demo.ts';
import type { Measurement } from '../../controller/results/measurement.ts';
import { Store } from '../../controller/store/store.ts';
import { alertWorld } from '../helpers/alert-world.ts';
import type { Bench, BenchOptions, Findings } from './bench.ts';
import { mean, percentile } from './statistics.ts';

const DEVICES = 10_000;
const RULES = 1000;
const ORGANIZATIONS = 100;
const WRITES = 5000;
const SERVERS = 20;

/** Each device must be looked at for this long at most, on average. */
const MOST_US = 100;

/** One value in so many is bad: so often a state changes. */
const BAD_SHARE = 0.02;

const METRICS: readonly [metric: string, kind: 'below' | 'above', threshold: number, clear: number][] = [
  ['tcp.download.bits_per_second', 'below', 20e6, 25e6],
  ['tcp.upload.bits_per_second', 'below', 5e6, 6e6],
  ['udp.upload.jitter_ms', 'above', 30, 20],
  ['udp.upload.lost_percent', 'above', 2, 1],
  ['tcp.download.rtt_ms', 'above', 100, 80],
  ['tcp.upload.retransmits', 'above', 1000, 500],
  ['run.success', 'below', 1, 1],
];

const organizationOf = (device: number): string => `organization-${device % ORGANIZATIONS}`;

/** The built-in ones, 8 for everybody, and the others for one organization each: some ten for each. */
const rules = (): AlertSettings[] => {
  const own = Array.from({ length: RULES - BUILT_IN.size }, (_, index): AlertSettings => {
    const [metric, kind, threshold, clear] = METRICS[index % METRICS.length] ?? ['run.success', 'below', 1, 1];
    const organization = index < 8 ? null : `organization-${index % ORGANIZATIONS}`;
    return {
      ...{ name: `rule-${index}`, subject: 'device', metric, condition: { kind, threshold, clear } },
      ...{ breaches: 2, of: 3, severity: 'warning', retest: false, notify: ['noc'] },
      where: { ...EVERYTHING, organization },
    };
  });
  return [...[...BUILT_IN.values()].map((rule) => ({ ...rule, notify: ['noc'] })), ...own];
};

const measurementsOf = (bad: boolean): Measurement[] =>
  demoTests(10).map(({ test, protocol }) => {
    const direction = test.endsWith('download') ? 'download' : 'upload';
    const both = {
      test,
      protocol,
      direction,
      bytes: 117_515_432,
      seconds: 10,
      bits_per_second: bad ? 1e6 : 94e6,
    } as const;
    const cpu = { cpu_device_percent: 31, cpu_server_percent: 4 };
    return protocol === 'tcp'
      ? { ...both, ...cpu, retransmits: 3, rtt_ms: 4.2 }
      : { ...both, ...cpu, jitter_ms: bad ? 50 : 0.4, packets: 80_000, lost_packets: 12, lost_percent: 0.015 };
  });

const writeOf = (token: number, random: () => number): AlertWrite => {
  const at_ms = 1_800_000_000_000 + token * 1000;
  const measurements = measurementsOf(random() < BAD_SHARE).map((measurement, index) => ({
    measurement,
    time_ms: at_ms + index * 11_000,
  }));
  return {
    ...{ run: `r-${token}`, token, at_ms, measurements, reached: true },
    device: `device-${Math.floor(random() * DEVICES)}`,
    server: `server-${token % SERVERS}`,
    end: { outcome: 'success', reason: null, time_ms: at_ms, zeros: [] },
  };
};

/** A linear congruential generator: the same writes each time. */
const seeded = (seed: number) => () => {
  seed = (seed * 1_664_525 + 1_013_904_223) % 2 ** 32;
  return seed / 2 ** 32;
};

/** What a write costs in a transaction, in microseconds; `evaluate` is null for the baseline: the transaction and one row, without rules. */
const lap = (store: Store, evaluate: ((write: AlertWrite) => void) | null, first_token: number): number[] => {
  const random = seeded(first_token);
  const took_us: number[] = [];
  for (let index = 0; index < WRITES; index++) {
    const write = writeOf(first_token + index, random);
    const began_ms = systemClock.now();
    store.deferred(() => {
      store.devices.noteAgent(write.device, { agent: '1', host: 'node', iperf3: '3.12', at_ms: write.at_ms });
      evaluate?.(write);
    });
    took_us.push(1000 * (systemClock.now() - began_ms));
  }
  store.flush();
  return took_us;
};

const measure = (folder: string, { say }: BenchOptions): Findings => {
  const store = Store.open(folder);
  try {
    say(`${DEVICES} devices …`);
    store.atomically(() => {
      for (let device = 0; device < DEVICES; device++) {
        const row = { device: `device-${device}`, organization: organizationOf(device), tags: [], uplink_group: null };
        store.devices.add(row, 'no password');
      }
    });
    const settings = alertWorld({ organizations: ORGANIZATIONS, servers: SERVERS, alerts: rules() });
    const alerts = new Alerts({ settings: () => settings, store });
    const evaluate = (write: AlertWrite) => void alerts.evaluate(write);
    say('writes that make every device known …');
    for (const first of [1, 1 + WRITES, 1 + 2 * WRITES]) lap(store, evaluate, first);
    say('the same, without rules and with …');
    // By turns, so that what else the machine does hits both.
    const laps = [3, 5, 7].map((turn) => ({
      bare: lap(store, null, turn * WRITES + 1),
      ruled: lap(store, evaluate, (turn + 1) * WRITES + 1),
    }));
    return findings(
      laps.flatMap(({ bare }) => bare),
      laps.flatMap(({ ruled }) => ruled),
      alerts,
    );
  } finally {
    store.close();
  }
};

const findings = (bare_us: number[], ruled_us: number[], alerts: Alerts): Findings => {
  const cost_us = mean(ruled_us) - mean(bare_us);
  const table = new Table({
    head: [`${RULES} rules, ${DEVICES} devices`, 'mean µs', 'p50 µs', 'p99 µs'],
    style: { head: [], border: [], compact: true },
    colAligns: ['left', 'right', 'right', 'right'],
  });
  const row = (name: string, took_us: number[]) =>
    table.push([
      name,
      ...[mean(took_us), percentile(took_us, 0.5), percentile(took_us, 0.99)].map((us) => us.toFixed(1)),
    ]);
  row('a transaction with one row', bare_us);
  row('the same, and all rules', ruled_us);
  const open = alerts.list();
  const firing = open.filter(({ state }) => state === 'firing').length;
  return {
    figures: {
      rules: RULES,
      devices: DEVICES,
      writes: ruled_us.length,
      cost_us,
      bare_us: mean(bare_us),
      ruled_us: mean(ruled_us),
      open: open.length,
      firing,
    },
    tables: [
      table.toString(),
      `The rules cost ${cost_us.toFixed(1)} µs a write; ${open.length} alerts are open, ${firing} of them firing.`,
    ],
    targets: [{ what: 'what the rules cost a write, in µs', seen: cost_us, at_most: MOST_US }],
  };
};

/** What do alert rules add to each result? */
export const alertsBench: Bench = {
  about: `what ${RULES} alert rules cost a write, with ${DEVICES} devices, beside the same transaction without them`,
  async run(options) {
    // Not in /tmp, which may be memory.
    const folder = mkdtempSync(join('node_modules/.cache/perfleet', 'alerts-'));
    try {
      return measure(folder, options);
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
};
