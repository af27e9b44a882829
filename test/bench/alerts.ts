import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import Table from 'cli-table3';
import { systemClock } from '../../broker/clock.ts';
import { Alerts } from '../../controller/alerts/alerts.ts';
import type { AlertWrite } from '../../controller/alerts/write.ts';
import { Store } from '../../controller/store/store.ts';
import { alertWorld } from '../helpers/alert-world.ts';
import {
  anybody,
  DEVICES,
  hourly,
  MEASURED,
  ORGANIZATIONS,
  organizationOf,
  RULES,
  rememberHours,
  rules,
  SERVERS,
  seeded,
  type Turn,
  writeOf,
} from './alerts-world.ts';
import type { Bench, BenchOptions, Findings } from './bench.ts';
import { mean, percentile } from './statistics.ts';

const WRITES = 5000;

/** The rules may cost so much on average. */
const MOST_US = 100;

/** What a write costs in a transaction, in microseconds; `evaluate` is null for the baseline: the transaction and one row, without rules. */
const lap = (
  store: Store,
  evaluate: ((write: AlertWrite) => void) | null,
  first_token: number,
  turn: Turn = anybody,
): number[] => {
  const random = seeded(first_token);
  const took_us: number[] = [];
  for (let index = 0; index < WRITES; index++) {
    const write = writeOf(first_token + index, random, turn);
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

interface Laps {
  bare_us: number[];
  ruled_us: number[];
}

/** By turns, so that what else the machine does hits both. */
const byTurns = (store: Store, evaluate: (write: AlertWrite) => void, first_token: number, turn: Turn): Laps => {
  const laps = [0, 1, 2].map((index) => {
    const token = first_token + index * WRITES;
    return { bare: lap(store, null, token, turn), ruled: lap(store, evaluate, token, turn) };
  });
  return { bare_us: laps.flatMap(({ bare }) => bare), ruled_us: laps.flatMap(({ ruled }) => ruled) };
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
    const evaluation = () => {
      const alerts = new Alerts({ settings: () => settings, store });
      return { alerts, evaluate: (write: AlertWrite) => void alerts.evaluate(write) };
    };
    const { alerts, evaluate } = evaluation();
    say('writes that make every device known …');
    for (const first of [1, 1 + WRITES, 1 + 2 * WRITES]) lap(store, evaluate, first);
    say('the same, without rules and with …');
    const fleet = byTurns(store, evaluate, 1 + 3 * WRITES, anybody);
    const open = [...alerts.reading.list()].flat();
    const firing = open.filter(({ state }) => state === 'firing').length;

    say(`${MEASURED.hours} hours of ${MEASURED.devices} devices …`);
    rememberHours(store);
    // As after a restart.
    const { evaluate: again } = evaluation();
    const began_ms = systemClock.now();
    for (let index = 0; index < MEASURED.devices; index++)
      again(writeOf(hourly.first - index, Math.random, hourly.turn));
    const read_ms = (systemClock.now() - began_ms) / MEASURED.devices;
    const dropping = byTurns(store, again, hourly.first + 1, hourly.turn);
    return findings({ fleet, dropping, read_ms, open: open.length, firing });
  } finally {
    store.close();
  }
};

interface Measured {
  fleet: Laps;
  /** Of devices whose drops are measured by a long history. */
  dropping: Laps;
  read_ms: number;
  open: number;
  firing: number;
}

const findings = ({ fleet, dropping, read_ms, open, firing }: Measured): Findings => {
  const costOf = ({ bare_us, ruled_us }: Laps) => mean(ruled_us) - mean(bare_us);
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
  row('a transaction with one row', fleet.bare_us);
  row('the same, and all rules', fleet.ruled_us);
  row(`one row, of ${MEASURED.devices} devices`, dropping.bare_us);
  row(`the same, and all rules: two drops, by ${MEASURED.hours} values`, dropping.ruled_us);
  const [cost_us, drop_cost_us] = [costOf(fleet), costOf(dropping)];
  return {
    figures: {
      ...{ rules: RULES, devices: DEVICES, writes: fleet.ruled_us.length, open, firing },
      ...{ cost_us, bare_us: mean(fleet.bare_us), ruled_us: mean(fleet.ruled_us) },
      ...{ drop_cost_us, values: MEASURED.hours, read_ms },
    },
    tables: [
      table.toString(),
      `The rules cost ${cost_us.toFixed(1)} µs a write; ${open} alerts are open, ${firing} of them firing.`,
      `They cost ${drop_cost_us.toFixed(1)} µs where a drop is measured by ${MEASURED.hours} values, which are read once, in ${read_ms.toFixed(1)} ms.`,
    ],
    targets: [
      { what: 'what the rules cost a write, in µs', seen: cost_us, at_most: MOST_US },
      { what: `the same with drops by ${MEASURED.hours} values`, seen: drop_cost_us, at_most: MOST_US },
    ],
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
