import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import Table from 'cli-table3';
import Libsql from 'libsql';
import { systemClock } from '../../broker/clock.ts';
import type { RunResult } from '../../broker/contract/messages.ts';
import { resultTopic } from '../../broker/contract/topics.ts';
import type { Bench, Findings } from './bench.ts';
import { IngestController } from './ingest-controller.ts';
import { corpusResults, deviceOf } from './ingest-results.ts';
import { percentile } from './statistics.ts';

const RESULTS = 6000;

/** So many agents have a result on the way at any time, each the next one when that is accepted. */
const AGENTS = 100;

/** Before it counts: the code is warm, and so is the disk's cache. */
const WARM_UP = 1000;

interface Pace {
  per_second: number;
  p50_ms: number;
  p99_ms: number;
}

const paceOf = (took_ms: number[], wall_ms: number): Pace => ({
  per_second: (1000 * took_ms.length) / wall_ms,
  p50_ms: percentile(took_ms, 0.5),
  p99_ms: percentile(took_ms, 0.99),
});

/** Results through all that a controller does with them, from the bytes of the message to `accepted`. */
const perfleet = async (folder: string, results: RunResult[]): Promise<Pace & { results_per_wait: number }> => {
  const messages = results.map((result) => ({
    topic: resultTopic(deviceOf(result.token), result.run),
    payload: Buffer.from(JSON.stringify(result)),
  }));
  const sent_ms: number[] = [];
  const took_ms: number[] = [];
  let [next, began_ms, waits] = [0, 0, 0];
  return new Promise((resolve) => {
    const controller = new IngestController(folder, results.length, (token) => {
      took_ms.push(systemClock.now() - (sent_ms[token] ?? 0));
      if (took_ms.length === WARM_UP) [began_ms, waits] = [systemClock.now(), controller.waits];
      // As it comes over a socket: not in the middle of what the controller is doing.
      if (next < messages.length) setImmediate(send);
      if (took_ms.length < messages.length) return;
      const counted = took_ms.slice(WARM_UP);
      const pace = paceOf(counted, systemClock.now() - began_ms);
      const { waiting } = controller.store.outbox.counts();
      const wanted = 4 * results.length;
      const results_per_wait = counted.length / (controller.waits - waits);
      setImmediate(() => controller.stop());
      if (waiting !== wanted) throw new Error(`${waiting} points in the outbox, not ${wanted}`);
      resolve({ ...pace, results_per_wait });
    });
    const send = () => {
      const message = messages[next];
      if (message === undefined) return;
      next += 1;
      sent_ms[next] = systemClock.now();
      controller.hear(message.topic, message.payload);
    };
    for (let agent = 0; agent < AGENTS; agent += 1) send();
  });
};

/** What is least: each message as it came, one INSERT into one table, on disk before the next. */
const bare = (file: string, results: RunResult[]): Pace => {
  const database = new Libsql(file);
  for (const pragma of ['locking_mode = EXCLUSIVE', 'journal_mode = WAL', 'synchronous = FULL'])
    database.prepare(`PRAGMA ${pragma}`).all();
  database.exec('CREATE TABLE results (run TEXT PRIMARY KEY, result TEXT)');
  const insert = database.prepare('INSERT INTO results VALUES (?, ?)');
  const texts = results.map((result) => [result.run, JSON.stringify(result)]);
  const began_ms = systemClock.now();
  const took_ms = texts.map((row) => {
    const sent_ms = systemClock.now();
    insert.run(row);
    return systemClock.now() - sent_ms;
  });
  const pace = paceOf(took_ms, systemClock.now() - began_ms);
  database.close();
  return pace;
};

const compare = async (folder: string): Promise<Findings> => {
  const results = corpusResults(RESULTS);
  const ours = await perfleet(join(folder, 'store'), results);
  const theirs = bare(join(folder, 'bare.db'), results.slice(0, 1000));
  const table = new Table({
    head: ['results of three tests', 'a second', 'p50 ms', 'p99 ms'],
    style: { head: [], border: [], compact: true },
    colAligns: ['left', 'right', 'right', 'right'],
  });
  const row = (name: string, { per_second, p50_ms, p99_ms }: Pace) =>
    table.push([name, per_second.toFixed(0), p50_ms.toFixed(2), p99_ms.toFixed(2)]);
  row(`perfleet, ${AGENTS} agents at once: from the message to accepted`, ours);
  row('one INSERT of the message with libsql, one at a time', theirs);
  const tables = [
    table.toString(),
    `One wait for the disk brings ${ours.results_per_wait.toFixed(1)} results there; none is accepted before its own.`,
  ];
  return {
    figures: { results: RESULTS, agents: AGENTS, perfleet: ours, bare: theirs },
    tables,
    targets: [
      { what: 'results a second through parse, transaction and outbox', seen: ours.per_second, at_least: 1000 },
    ],
  };
};

/** How many devices could one controller keep up with, if all they did were to deliver results? */
export const ingestBench: Bench = {
  about: 'results a second that a controller reads, stores and queues for InfluxDB, each on disk before it is accepted',
  async run() {
    // Not in /tmp, which may be memory.
    mkdirSync('node_modules/.cache/perfleet', { recursive: true });
    const folder = mkdtempSync(join('node_modules/.cache/perfleet', 'ingest-'));
    try {
      return await compare(folder);
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
};
