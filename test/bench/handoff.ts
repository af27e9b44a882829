import Table from 'cli-table3';
import { sleep, systemClock } from '../../broker/clock.ts';
import type { Bench, BenchOptions, Findings, Target } from './bench.ts';
import { MOST_AGENTS } from './handoff-plan.ts';
import { Scene } from './handoff-scene.ts';
import type { Memory } from './memory.ts';
import { percentile } from './statistics.ts';
import { unlessStopped } from './unless-stopped.ts';

/** How many agents are connected, stage by stage: at last as few as at first, to tell the size of the fleet from what time does. */
const STAGES = [100, 1_000, MOST_AGENTS, 100];

/** Runs of a stage. */
const RUNS = 500;

/** Runs before the first stage: nobody measures what was started a moment ago. */
const WARM_UP = 100;

/** Before and after the runs of a stage: so long, a bare round trip so often. */
const QUIET = { for_ms: 3_000, every_ms: 15 };

/** Bare round trips beside the runs: as often as one of the servers changes hands. */
const BESIDE_MS = 50;

/** Hand-off ÷ bare round trip, and how much the gap may differ between the smallest and the largest fleet. */
const TARGETS = { p50: 2, p99: 3, flat: 0.2 };

/** What was seen with so many agents. */
interface Seen {
  agents: number;
  gaps_ms: number[];
  /** Bare round trips right before and after the runs. */
  bare_ms: number[];
  /** Bare round trips meanwhile. */
  beside_ms: number[];
  memory: Memory;
}

type Parts = Awaited<ReturnType<Scene['start']>> & { scene: Scene };

/** Bare round trips while nobody is measured. */
const quiet = async ({ trips }: Parts): Promise<number[]> => {
  trips.begin(QUIET.every_ms);
  await sleep(systemClock, QUIET.for_ms);
  return trips.take();
};

const stage = async (parts: Parts, runs: number): Promise<Seen> => {
  const { scene, agents, trips } = parts;
  await scene.online(agents.count);
  const before = await quiet(parts);
  for (let run = 0; run < runs; run += 1) await scene.order(agents.pick());
  // Those that went while others were still being ordered do not count.
  scene.gaps.begin();
  trips.begin(BESIDE_MS);
  const gaps_ms = await scene.gaps.take(runs);
  const beside_ms = trips.take();
  const bare_ms = [...before, ...(await quiet(parts))];
  return { agents: agents.count, gaps_ms, bare_ms, beside_ms, memory: scene.controllerMemory() };
};

const allStages = async (scene: Scene, say: (line: string) => void): Promise<Seen[]> => {
  const parts = { scene, ...(await scene.start()) };
  const seen: Seen[] = [];
  for (const [index, count] of STAGES.entries()) {
    say(`${count} agents …`);
    await parts.agents.become(count);
    if (index === 0) await stage(parts, WARM_UP);
    seen.push(await stage(parts, RUNS));
  }
  return seen;
};

const both = (values_ms: number[]) => ({ p50_ms: percentile(values_ms, 0.5), p99_ms: percentile(values_ms, 0.99) });

const figuresOf = ({ agents, gaps_ms, bare_ms, beside_ms, memory }: Seen) => {
  const [gap, bare, beside] = [both(gaps_ms), both(bare_ms), both(beside_ms)];
  const ratio = { p50: gap.p50_ms / bare.p50_ms, p99: gap.p99_ms / bare.p99_ms };
  const counts = { hand_offs: gaps_ms.length, round_trips: bare_ms.length, round_trips_beside: beside_ms.length };
  return { agents, ...counts, gap, bare, beside, ratio, controller: memory };
};

/** The stages with the same number of agents together. */
const merged = (seen: Seen[]): Seen[] =>
  [...new Set(STAGES)].map((agents) => {
    const same = seen.filter((one) => one.agents === agents);
    const all = (key: 'gaps_ms' | 'bare_ms' | 'beside_ms') => same.flatMap((one) => one[key]);
    const memory = same[0]?.memory ?? { pss_mib: Number.NaN, rss_mib: Number.NaN };
    return { agents, gaps_ms: all('gaps_ms'), bare_ms: all('bare_ms'), beside_ms: all('beside_ms'), memory };
  });

const findings = (seen: Seen[]): Findings => {
  const table = new Table({
    head: ['agents', 'gap p50 ms', 'p99', 'bare p50 ms', 'p99', 'ratio p50', 'p99', 'beside p50 ms', 'p99', 'PSS MiB'],
    style: { head: [], border: [], compact: true },
    colAligns: Array.from({ length: 10 }, () => 'right'),
  });
  const row = ({ agents, gap, bare, ratio, beside, controller }: ReturnType<typeof figuresOf>) =>
    table.push([
      agents,
      ...[gap.p50_ms, gap.p99_ms, bare.p50_ms, bare.p99_ms, ratio.p50, ratio.p99, beside.p50_ms, beside.p99_ms].map(
        (value) => value.toFixed(2),
      ),
      controller.pss_mib.toFixed(0),
    ]);
  const stages = seen.map(figuresOf);
  stages.forEach(row);
  const sizes = merged(seen).map(figuresOf);
  const [few, many] = [sizes[0]?.gap.p50_ms ?? Number.NaN, sizes.at(-1)?.gap.p50_ms ?? Number.NaN];
  const targets: Target[] = sizes.flatMap(({ agents, ratio }) => [
    { what: `with ${agents} agents, p50 of the gap ÷ of a bare round trip`, seen: ratio.p50, at_most: TARGETS.p50 },
    { what: `with ${agents} agents, p99 of the gap ÷ of a bare round trip`, seen: ratio.p99, at_most: TARGETS.p99 },
  ]);
  const flatness = many / few - 1;
  targets.push({
    what: `|gap with ${MOST_AGENTS} agents ÷ with ${STAGES[0]} − 1|, p50`,
    seen: Math.abs(flatness),
    at_most: TARGETS.flat,
  });
  return { figures: { runs: RUNS, flatness, stages, sizes }, tables: [table.toString(), EXPLANATION], targets };
};

const EXPLANATION = `gap: from \`finished\` sent by one device to \`start\` received by the next one on that server: device, broker, controller, broker, device.
bare: device, broker, far client, broker, device: QoS 1 as well, through the same broker, right before and after; beside: meanwhile.
PSS: of the controller with its broker.`;

/** For how long is nobody told to use a server between two runs, beside what MQTT itself takes? */
export const handoffBench: Bench = {
  about: `from \`finished\` to the next \`start\` over MQTT, beside bare round trips, with up to ${MOST_AGENTS} agents; 3 minutes`,
  async run({ say, signal }: BenchOptions) {
    const stopped = unlessStopped(signal);
    const scene = new Scene(stopped.fail);
    try {
      return findings(await stopped.race(allStages(scene, say)));
    } finally {
      await scene.stop();
    }
  },
};
