import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import Table from 'cli-table3';
import { z } from 'zod';
import { sleep, systemClock } from '../../broker/clock.ts';
import type { Bench, BenchOptions, Findings } from './bench.ts';
import { Agents, type Watcher } from './handoff-agents.ts';
import { HOST, MOST_AGENTS, SECRET } from './handoff-plan.ts';
import { RoundTrips } from './handoff-round-trip.ts';
import { type Memory, memoryOf } from './memory.ts';
import { percentile } from './statistics.ts';
import { unlessStopped } from './unless-stopped.ts';

/** The fleet grows, and shrinks again: what changed by itself meanwhile shows. */
const STAGES = [100, 1_000, MOST_AGENTS, 100];

/** Runs of each stage. */
const RUNS = 500;

/** Runs before the first stage: nobody measures a program that was started a moment ago. */
const WARM_UP = 100;

/** On average one bare round trip in this time: as often as one of the servers changes hands. */
const EVERY_MS = 50;

const Ports = z.object({ http_port: z.int(), mqtt_port: z.int() });
const Status = z.object({ in_charge: z.boolean(), devices_online: z.int(), runs_open: z.int() });

interface Stage {
  agents: number;
  gaps_ms: number[];
  bare_ms: number[];
  quiet_ms: number[];
  memory: Memory;
}

/** Notes the time from `finished` on one server to the next `start` for the same server. */
class Gaps implements Watcher {
  readonly #finished = new Map<number, number>();
  readonly #accepted = new Set<string>();
  #gaps_ms: number[] = [];
  #wanted = Number.POSITIVE_INFINITY;
  #done = () => {};

  finished(port: number, at: number): void {
    this.#finished.set(port, at);
  }

  started(port: number, at: number): void {
    const since = this.#finished.get(port);
    this.#finished.delete(port);
    if (since !== undefined) this.#gaps_ms.push(at - since);
  }

  accepted(run: string): void {
    this.#accepted.add(run);
    if (this.#accepted.size >= this.#wanted) this.#done();
  }

  /** What was seen since the last time. */
  take(): number[] {
    return this.#gaps_ms.splice(0);
  }

  /** Resolves when the results of so many more runs than at the last time have been accepted. */
  async all(runs: number): Promise<void> {
    const done = new Promise<void>((resolve) => {
      this.#done = resolve;
    });
    this.#wanted = runs;
    if (this.#accepted.size < runs) await done;
    this.#accepted.clear();
    this.#finished.clear();
  }
}

/** The bench's programs, as Node.js can run them. */
const programs = async () => {
  const build: typeof import('../../packaging/build/build.mjs') = await import(
    pathToFileURL(resolve('packaging/build/build.mjs')).href
  );
  return (name: string): string => {
    const file = resolve(`node_modules/.cache/perfleet/${name}.js`);
    build.bundleForHere(`test/bench/${name}.ts`, file);
    return file;
  };
};

/** Each connection is a file here and in the controller's process. Node.js raises the soft limit itself. */
const checkFileLimit = (): void => {
  const found = /^Max open files +\d+ +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
  const needed = MOST_AGENTS + 500;
  if (Number(found) < needed) {
    throw new Error(
      `${MOST_AGENTS} connections need ${needed} open files, the limit is ${found}: ulimit -Hn ${needed}`,
    );
  }
};

class Scene {
  readonly #say: (line: string) => void;
  readonly #folder = mkdtempSync(join('node_modules/.cache/perfleet', 'handoff-'));
  readonly #children: ChildProcess[] = [];
  readonly #gaps = new Gaps();
  readonly #fail: (error: Error) => void;
  readonly #stops: (() => Promise<void>)[] = [];
  #api = '';

  constructor(say: (line: string) => void, fail: (error: Error) => void) {
    this.#say = say;
    this.#fail = fail;
  }

  async run(): Promise<Findings> {
    checkFileLimit();
    const program = await programs();
    const controller = this.#start(program('handoff-controller'), [this.#folder]);
    const { http_port, mqtt_port } = Ports.parse((await once(controller, 'message'))[0]);
    this.#api = `http://${HOST}:${http_port}/api/1`;
    const url = `mqtt://${HOST}:${mqtt_port}`;
    await once(this.#start(program('handoff-echo'), [url]), 'message');
    const trips = new RoundTrips(url, systemClock);
    this.#stops.push(() => trips.stop());
    await trips.start();
    const agents = new Agents(url, systemClock, this.#gaps);
    this.#stops.push(() => agents.become(0));
    await this.#until(({ in_charge }) => in_charge);

    const stages: Stage[] = [];
    this.#say('warming up …');
    await agents.become(STAGES[0] ?? 0);
    await this.#measure(agents, trips, WARM_UP, controller);
    for (const count of STAGES) {
      this.#say(`${count} agents … ${systemClock.now()}`);
      await agents.become(count);
      stages.push(await this.#measure(agents, trips, RUNS, controller));
    }
    return findings(stages);
  }

  async #measure(agents: Agents, trips: RoundTrips, runs: number, controller: ChildProcess): Promise<Stage> {
    await this.#until(({ devices_online }) => devices_online === agents.count);
    trips.begin(20);
    await sleep(systemClock, 5000);
    const quiet_ms = trips.take();
    for (let run = 0; run < runs; run += 1) await this.#order(agents.pick());
    this.#gaps.take();
    trips.begin(EVERY_MS);
    await this.#gaps.all(runs);
    const gaps_ms = this.#gaps.take();
    const bare_ms = trips.take();
    return { agents: agents.count, gaps_ms, bare_ms, quiet_ms, memory: memoryOf(controller.pid ?? 0) };
  }

  async #order(device: string): Promise<void> {
    const body = JSON.stringify({ device, server: null });
    await this.#ask('/runs', { method: 'POST', body });
  }

  async #ask(path: string, request: RequestInit): Promise<unknown> {
    const headers = { authorization: `Bearer ${SECRET}`, 'content-type': 'application/json' };
    const answer = await fetch(`${this.#api}${path}`, { ...request, headers });
    if (!answer.ok) throw new Error(`${path}: ${await answer.text()}`);
    return answer.json();
  }

  async #until(good: (status: z.infer<typeof Status>) => boolean): Promise<void> {
    while (!good(Status.parse(await this.#ask('/status', {})))) await sleep(systemClock, 200);
  }

  #start(file: string, args: string[]): ChildProcess {
    const child = fork(file, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    child.once('exit', (code) => this.#fail(new Error(`${file} ended with ${code}`)));
    this.#children.push(child);
    return child;
  }

  async stop(): Promise<void> {
    for (const stop of this.#stops.reverse()) await stop();
    await Promise.all(
      this.#children.map(async (child) => {
        child.removeAllListeners('exit');
        const exited = once(child, 'exit');
        child.disconnect();
        await exited;
      }),
    );
    rmSync(this.#folder, { recursive: true });
  }
}

const findings = (stages: Stage[]): Findings => {
  const table = new Table({
    head: [
      'agents',
      'hand-offs',
      'p50 ms',
      'p99 ms',
      'bare',
      'p50 ms',
      'p99 ms',
      'p50 ratio',
      'p99 ratio',
      'quiet p50',
      'quiet p99',
      'PSS MiB',
    ],
    style: { head: [], border: [], compact: true },
  });
  for (const { agents, gaps_ms, bare_ms, quiet_ms, memory } of stages) {
    const [p50, p99, b50, b99] = [
      percentile(gaps_ms, 0.5),
      percentile(gaps_ms, 0.99),
      percentile(bare_ms, 0.5),
      percentile(bare_ms, 0.99),
    ];
    table.push([
      agents,
      gaps_ms.length,
      p50.toFixed(2),
      p99.toFixed(2),
      bare_ms.length,
      b50.toFixed(2),
      b99.toFixed(2),
      (p50 / b50).toFixed(2),
      (p99 / b99).toFixed(2),
      percentile(quiet_ms, 0.5).toFixed(2),
      percentile(quiet_ms, 0.99).toFixed(2),
      memory.pss_mib.toFixed(0),
    ]);
  }
  return { figures: { stages }, tables: [table.toString()], targets: [] };
};

/** How long is a server idle between two runs, beside what MQTT itself takes? */
export const handoffBench: Bench = {
  about: `the gap between two runs on a server over MQTT, beside bare round trips, with up to ${MOST_AGENTS} agents`,
  async run({ say, signal }: BenchOptions) {
    const stopped = unlessStopped(signal);
    const scene = new Scene(say, stopped.fail);
    try {
      return await stopped.race(scene.run());
    } finally {
      await scene.stop();
    }
  },
};
