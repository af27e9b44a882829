import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import Table from 'cli-table3';
import type { Bench, BenchOptions, Findings, Target } from './bench.ts';
import { buildProgram } from './build-program.ts';
import type { NightSize } from './night-fleet.ts';
import type { NightLap } from './night-lap.ts';
import { median } from './statistics.ts';

export interface Nights {
  /** The same servers for more and more devices; the last one is the night of the target. */
  fleets: NightSize[];
  /** As many runs a server as the last, on fewer servers. */
  small: NightSize;
  laps: number;
}

const NIGHTS: Nights = {
  fleets: [10_000, 100_000, 1_000_000].map((devices) => ({ devices, servers: 1000, organizations: 100 })),
  small: { devices: 10_000, servers: 10, organizations: 2 },
  laps: 3,
};

const WALL_S = 90;
const RSS_MIB = 2048;
const FLAT = 1.2;

/** Node.js may not use more for its heap: less than the target for the whole process. */
const HEAP_MIB = 1536;

/** A night, and the CPU time in µs a device of making the same records and touching them as often, without deciding anything. */
interface Lap extends NightLap {
  bare_us: number;
}

const lapOf = async (file: string, size: NightSize, { say, signal }: BenchOptions): Promise<Lap> => {
  const { devices, servers, organizations } = size;
  say(`${devices} devices on ${servers} servers …`);
  const said = async (what: 'night' | 'records'): Promise<string> => {
    const args = [`--max-old-space-size=${HEAP_MIB}`, file, what, ...[devices, servers, organizations].map(String)];
    return (await promisify(execFile)(process.execPath, args, { signal })).stdout;
  };
  const night: NightLap = JSON.parse(await said('night'));
  const bare_us: number = JSON.parse(await said('records'));
  const { wall_s, cpu_us_per_grant } = night;
  say(`  ${wall_s.toFixed(1)} s; CPU: ${cpu_us_per_grant.toFixed(1)} µs a grant, ${bare_us.toFixed(1)} of its records`);
  return { ...night, bare_us };
};

const MEASURED = [
  ...(['wall_s', 'cpu_s', 'us_per_grant', 'cpu_us_per_grant', 'plan_s', 'idle_look_ms'] as const),
  ...(['slots_s', 'us_per_step', 'bare_us', 'peak_rss_mib'] as const),
];

/** Each measured figure's own median; what does not depend on the machine is the same in all laps. */
const middleOf = (laps: readonly Lap[]): Lap => {
  const [first] = laps;
  if (first === undefined) throw new Error('no night was simulated');
  const middle = { ...first };
  for (const key of MEASURED) middle[key] = median(laps.map((lap) => lap[key]));
  return middle;
};

const COST: { name: string; show: (lap: Lap) => string }[] = [
  { name: 'devices', show: ({ devices }) => `${devices}` },
  { name: 'servers', show: ({ servers }) => `${servers}` },
  { name: 'wall s', show: ({ wall_s }) => wall_s.toFixed(2) },
  { name: 'CPU s', show: ({ cpu_s }) => cpu_s.toFixed(2) },
  { name: 'grants', show: ({ grants }) => `${grants}` },
  { name: 'µs a grant', show: ({ us_per_grant }) => us_per_grant.toFixed(1) },
  { name: 'CPU µs a grant', show: ({ cpu_us_per_grant }) => cpu_us_per_grant.toFixed(1) },
  { name: 'bare records µs', show: ({ bare_us }) => bare_us.toFixed(1) },
  { name: 'planning %', show: ({ plan_s, wall_s }) => ((100 * plan_s) / wall_s).toFixed(1) },
  { name: 'slots %', show: ({ slots_s, wall_s }) => ((100 * slots_s) / wall_s).toFixed(1) },
  { name: 'slots µs a step', show: ({ us_per_step }) => us_per_step.toFixed(2) },
  { name: 'peak RSS MiB', show: ({ peak_rss_mib }) => peak_rss_mib.toFixed(0) },
];

const COURSE: typeof COST = [
  { name: 'devices', show: ({ devices }) => `${devices}` },
  { name: 'servers', show: ({ servers }) => `${servers}` },
  { name: 'night h', show: ({ makespan_h }) => makespan_h.toFixed(2) },
  { name: 'slot use %', show: ({ slot_use }) => (100 * slot_use).toFixed(2) },
  { name: 'while waited %', show: ({ use_while_waited }) => (100 * use_while_waited).toFixed(3) },
  { name: 'longest idle ms', show: ({ longest_idle_ms }) => longest_idle_ms.toFixed(0) },
];

const tableOf = (columns: typeof COST, laps: readonly Lap[]): string => {
  const table = new Table({
    head: columns.map(({ name }) => name),
    style: { head: [], border: [], compact: true },
    colAligns: columns.map(() => 'right'),
  });
  for (const lap of laps) table.push(columns.map(({ show }) => show(lap)));
  return table.toString();
};

/** How the runs ended, a line per fleet. */
const endsOf = ({ devices, servers, ends }: Lap): string => {
  const parts = Object.entries(ends).toSorted(([, a], [, b]) => b - a);
  return `${devices} runs on ${servers} servers: ${parts.map(([how, often]) => `${often} ${how}`).join(', ')}`;
};

const spreadOf = (costs: number[]): number => Math.max(...costs) / Math.min(...costs);

const findings = (nights: Lap[], small: Lap, laps: number): Findings => {
  // Of the CPU: what else the machine does hits the longest night most.
  const spread = spreadOf(nights.map(({ cpu_us_per_grant }) => cpu_us_per_grant));
  const bare_spread = spreadOf(nights.map(({ bare_us }) => bare_us));
  const targets: Target[] = nights.slice(-1).flatMap(({ wall_s, peak_rss_mib }) => [
    { what: 'seconds for the largest night', seen: wall_s, at_most: WALL_S },
    { what: 'its peak RSS in MiB', seen: peak_rss_mib, at_most: RSS_MIB },
    { what: 'CPU time of the dearest ÷ cheapest grant, of fleets with the same servers,', seen: spread, at_most: FLAT },
  ]);
  const all = [...nights, small];
  const said = 'Every due run ended once. No two clients ever shared a server, and no group was over its capacity.';
  const bare = `The bare records of a device: dearest ÷ cheapest ${bare_spread.toFixed(2)}.`;
  const tables = [`Medians of ${laps} laps.`, tableOf(COST, all), bare, tableOf(COURSE, all), ...all.map(endsOf), said];
  return { figures: { laps, spread, bare_spread, nights, small }, tables, targets };
};

/** Simulates these nights in turns, each in a process of its own. */
export const benchOf = ({ fleets, small, laps }: Nights): Bench => ({
  about: 'simulated nights of up to 1,000,000 devices on 1,000 servers, by the real schedule and slots',
  async run(options) {
    const file = await buildProgram('night-process');
    const seen = new Map<NightSize, Lap[]>();
    for (let lap = 0; lap < laps; lap += 1) {
      for (const size of [...fleets, small])
        seen.set(size, [...(seen.get(size) ?? []), await lapOf(file, size, options)]);
    }
    const middle = (size: NightSize) => middleOf(seen.get(size) ?? []);
    return findings(fleets.map(middle), middle(small), laps);
  },
});

/** What does a night of a very large fleet cost, without store and network? */
export const nightBench = benchOf(NIGHTS);
