import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import Table from 'cli-table3';
import Libsql from 'libsql';
import { systemClock } from '../../broker/clock.ts';
import type { RunResult, TestPlan } from '../../broker/contract/messages.ts';
import { demoTests } from '../../controller/demo/demo.ts';
import { Settlement } from '../../controller/runs/settlement.ts';
import { Store } from '../../controller/store/store.ts';
import type { Bench, Findings } from './bench.ts';
import { mean, percentile } from './statistics.ts';

const RESULTS = 500;

/** iperf3's own output of the three tests, as version 3.12 printed it. */
const OUTPUTS: Record<string, string> = {
  'tcp-upload': 'v3.12__tcp_up.json',
  'tcp-download': 'v3.12__tcp_down.json',
  'udp-upload': 'v3.12__udp_up.json',
};

const TESTS: TestPlan[] = demoTests(10);

const resultOf = (token: number): RunResult => ({
  run: `r-${token}`,
  token,
  boot: 'boot',
  tests: TESTS.map(({ test }, index) => ({
    test,
    exit_code: 0,
    stdout: readFileSync(join('test/iperf3-corpus', OUTPUTS[test] ?? ''), 'utf8'),
    stderr: '',
    started_ms: index * 11_000,
    ended_ms: (index + 1) * 11_000,
  })),
});

/** Something that puts a result on disk before it returns. */
interface Sink {
  put(result: RunResult): void;
  close(): void;
}

/** What is fastest: the result as it came, one INSERT into one table, as durable as the store. */
const bareSink = (file: string): Sink => {
  const database = new Libsql(file);
  for (const pragma of ['locking_mode = EXCLUSIVE', 'journal_mode = WAL', 'synchronous = FULL'])
    database.prepare(`PRAGMA ${pragma}`).all();
  database.exec('CREATE TABLE results (run TEXT PRIMARY KEY, result TEXT)');
  const insert = database.prepare('INSERT INTO results VALUES (?, ?)');
  return { put: (result) => insert.run([result.run, JSON.stringify(result)]), close: () => database.close() };
};

/** Reading iperf3's output, the verdict, and everything that follows from it in one transaction. The runs have their grants. */
const settlementSink = (folder: string, results: RunResult[]): Sink => {
  const store = Store.open(folder);
  const now = systemClock.wall();
  const run = { device: 'device-1', organization: 'default', server: null, origin: 'demand', night: null } as const;
  const times = { requested_at_ms: now, not_before_ms: now, window_end_ms: now + 3_600_000 };
  store.runs.add(results.map((result) => ({ run: result.run, ...run, ...times, tests: TESTS })));
  for (const { run: id, token } of results)
    store.runs.noteGrant({ token, run: id, server: 'server-1', via: 'agent', at_ms: now, tests: TESTS });
  const log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
  const settlement = new Settlement({
    store,
    influx: true,
    checkOf: () => ({ retries: 0, backoff_ms: 30_000 }),
    random: Math.random,
    log,
  });
  return {
    put: (result) => {
      const { settled } = settlement.result('device-1', result, now);
      if (settled !== 'final') throw new Error(`${result.run} was not settled`);
    },
    close: () => store.close(),
  };
};

/** Takes turns, so that what else the disk does hits both. */
const compare = (folder: string): Findings => {
  const results = Array.from({ length: RESULTS }, (_, index) => resultOf(index + 1));
  const bare = { sink: bareSink(join(folder, 'bare.db')), took_ms: [] as number[] };
  const perfleet = { sink: settlementSink(join(folder, 'store'), results), took_ms: [] as number[] };
  for (const result of results) {
    for (const { sink, took_ms } of [bare, perfleet]) {
      const began_ms = systemClock.now();
      sink.put(result);
      took_ms.push(systemClock.now() - began_ms);
    }
  }
  bare.sink.close();
  perfleet.sink.close();
  return findings(perfleet.took_ms, bare.took_ms);
};

const figuresOf = (took_ms: number[]) => ({
  per_second: 1000 / mean(took_ms),
  p50_ms: percentile(took_ms, 0.5),
  p99_ms: percentile(took_ms, 0.99),
});

const findings = (perfleet_ms: number[], bare_ms: number[]): Findings => {
  const [perfleet, bare] = [figuresOf(perfleet_ms), figuresOf(bare_ms)];
  const ratio = perfleet.per_second / bare.per_second;
  const table = new Table({
    head: [`${RESULTS} results, one transaction each`, 'a second', 'p50 ms', 'p99 ms'],
    style: { head: [], border: [], compact: true },
    colAligns: ['left', 'right', 'right', 'right'],
  });
  const row = (name: string, { per_second, p50_ms, p99_ms }: typeof bare) =>
    table.push([name, per_second.toFixed(0), p50_ms.toFixed(2), p99_ms.toFixed(2)]);
  row('perfleet: read, decided and stored', perfleet);
  row('one INSERT with libsql', bare);
  const tables = [table.toString(), `Results a second, perfleet ÷ one INSERT: ${ratio.toFixed(3)}`];
  return { figures: { results: RESULTS, ratio, perfleet, bare }, tables, targets: [] };
};

/** How many devices could one controller keep up with, if all they did were to deliver results? */
export const storeBench: Bench = {
  about: 'results that the controller reads and stores durably, beside bare INSERTs',
  async run() {
    // Not in /tmp, which may be memory.
    const folder = mkdtempSync(join('node_modules/.cache/perfleet', 'store-'));
    try {
      return compare(folder);
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
};
