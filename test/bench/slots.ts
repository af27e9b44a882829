import '../../agent/hosts/node/builtins.ts';
import { setImmediate as nextTurn } from 'node:timers/promises';
import Table from 'cli-table3';
import { argv } from '../../agent/iperf3/argv.ts';
import { systemClock } from '../../broker/clock.ts';
import type { TestPlan } from '../../broker/contract/messages.ts';
import { version } from '../../broker/version.ts';
import { findProgram } from '../../controller/demo/find-program.ts';
import { Stage } from '../../controller/demo/stage.ts';
import { readWitness, slotUse, usedShare, type WitnessLine } from '../../controller/demo/witness.ts';
import type { RunRecord } from '../../controller/run-record.ts';
import { allOnline, orderRuns } from '../helpers/all-runs.ts';
import type { Bench, BenchOptions, Findings, Target } from './bench.ts';
import { plainLoop } from './plain-loop.ts';
import { mean, percentile } from './statistics.ts';
import { unlessStopped } from './unless-stopped.ts';

const DEVICES = 12;

/** A lap with this many servers each. */
const LAPS = [1, 2];

const PLAN: TestPlan = {
  ...{ test: 'tcp-upload', protocol: 'tcp', direction: 'upload', duration_s: 2, omit_s: 0, streams: 1 },
  ...{ bitrate: null, length: null, window: null, congestion: null },
};

/** Makespan of perfleet ÷ that of the loop. */
const MOST_RATIO = 1.01;

const LEAST_SLOT_USE = 0.99;

/** All devices once, by perfleet or by loops. Times count from the order, or from the start of the loops. */
interface Lap extends ReturnType<typeof usedShare> {
  /** To the first spawn of iperf3 on the server that had to wait longest for it. */
  first_spawn_ms: number;
  /** From the exit of one iperf3 to the spawn of the next on its server. */
  gaps_ms: number[];
}

interface Comparison {
  servers: number;
  perfleet: Lap;
  /** Before perfleet, and after it. */
  loops: [Lap, Lap];
}

const lapOf = (record: WitnessLine[], began_ms: number, servers: number): Lap => {
  const use = slotUse(record);
  const spawns = record.filter(({ what }) => what === 'spawn');
  if (use.refused > 0) throw new Error(`${use.refused} iperf3 clients met another one on their server`);
  if (spawns.length !== DEVICES) throw new Error(`iperf3 was started ${spawns.length} times for ${DEVICES} runs`);
  const first = new Map<string, number>();
  for (const { server, at_ms } of spawns) if (!first.has(server)) first.set(server, at_ms);
  if (first.size !== servers) throw new Error(`${first.size} of ${servers} servers were used`);
  return {
    ...usedShare(use, began_ms, servers),
    first_spawn_ms: Math.max(...first.values()) - began_ms,
    gaps_ms: use.gaps_ms,
  };
};

/** perfleet measures all devices of the stage. */
const perfleetLap = async (stage: Stage, servers: number): Promise<Lap> => {
  const { fleet } = stage.controller;
  const began_ms = systemClock.wall();
  const orders: Promise<RunRecord[]>[] = [];
  for (const { device } of fleet.devices.list()) {
    orders.push(orderRuns(fleet, [device]).finished);
    await nextTurn(); // one by one, as the API takes orders
  }
  const records = (await Promise.all(orders)).flat();
  const bad = records.find(({ outcome }) => outcome !== 'success');
  if (bad !== undefined) throw new Error(`the run of ${bad.device} is ${bad.outcome}: ${bad.reason}`);
  return lapOf(readWitness(stage.witness), began_ms, servers);
};

/** One loop a server, all at the same time, which share the runs. */
const loopLap = async (stage: Stage, name: string, iperf3: string, signal: AbortSignal): Promise<Lap> => {
  const { fleet } = stage.controller;
  const servers = fleet.servers.list();
  const device = fleet.devices.list()[0];
  const began_ms = systemClock.wall();
  const records = await Promise.all(
    servers.map(({ server, host, port }) => {
      const args = argv(PLAN, { host, port, username: null, key_path: null }, null, device?.iperf3 ?? null);
      const folder = `${stage.folder}/${name}-${server}`;
      return plainLoop({ folder, iperf3, args, times: DEVICES / servers.length, signal });
    }),
  );
  return lapOf(records.flat(), began_ms, servers.length);
};

const compare = async (stage: Stage, iperf3: string, { say, signal }: BenchOptions): Promise<Comparison> => {
  await stage.start();
  await allOnline(stage.controller.fleet);
  const servers = stage.controller.fleet.servers.list().length;
  say(servers === 1 ? 'one server: a plain loop …' : `${servers} servers: a plain loop on each …`);
  const before = await loopLap(stage, 'before', iperf3, signal);
  say('perfleet …');
  const perfleet = await perfleetLap(stage, servers);
  say('the plain loop again …');
  const after = await loopLap(stage, 'after', iperf3, signal);
  return { servers, perfleet, loops: [before, after] };
};

const ratioOf = ({ perfleet, loops }: Comparison): number =>
  perfleet.makespan_s / mean(loops.map(({ makespan_s }) => makespan_s));

const row = (name: string, lap: Lap): string[] => [
  name,
  lap.makespan_s.toFixed(3),
  lap.first_spawn_ms.toFixed(0),
  percentile(lap.gaps_ms, 0.5).toFixed(1),
  percentile(lap.gaps_ms, 0.99).toFixed(1),
  (lap.slot_use * 100).toFixed(2),
];

const tableOf = ({ servers, perfleet, loops }: Comparison): string => {
  const table = new Table({
    head: [
      `${DEVICES} runs, ${servers} ${servers === 1 ? 'server' : 'servers'}`,
      ...['makespan s', 'first spawn ms', 'gap p50 ms', 'gap p99 ms', 'slot use %'],
    ],
    style: { head: [], border: [], compact: true },
    colAligns: ['left', 'right', 'right', 'right', 'right', 'right'],
  });
  table.push(row('loop, before', loops[0]), row('perfleet', perfleet), row('loop, after', loops[1]));
  return table.toString();
};

const figuresOf = ({ gaps_ms, ...lap }: Lap) => ({
  ...lap,
  gap_p50_ms: percentile(gaps_ms, 0.5),
  gap_p99_ms: percentile(gaps_ms, 0.99),
});

const targetsOf = (lap: Comparison): Target[] => {
  const on = lap.servers === 1 ? 'one server' : `${lap.servers} servers`;
  return [
    { what: `perfleet's makespan ÷ the loop's on ${on}`, seen: ratioOf(lap), at_most: MOST_RATIO },
    { what: `perfleet's slot use on ${on}`, seen: lap.perfleet.slot_use, at_least: LEAST_SLOT_USE },
  ];
};

const findings = (laps: Comparison[]): Findings => ({
  figures: {
    devices: DEVICES,
    refused: 0,
    laps: laps.map((lap) => ({
      servers: lap.servers,
      ratio: ratioOf(lap),
      perfleet: figuresOf(lap.perfleet),
      loops: lap.loops.map(figuresOf),
    })),
  },
  tables: [...laps.map(tableOf), 'No two iperf3 clients ever shared a server.'],
  targets: laps.flatMap(targetsOf),
});

/** What does it cost to let perfleet hand the slots of servers from device to device, instead of shell loops? */
export const slotsBench: Bench = {
  about: `${DEVICES} runs on one server and on two, by perfleet and by plain shell loops of the same iperf3 commands`,
  async run(options) {
    const iperf3 = findProgram('iperf3', process.env);
    if (iperf3 === null) throw new Error('iperf3 is not on the PATH. Install it: sudo apt-get install -y iperf3');
    const stopped = unlessStopped(options.signal);
    const laps: Comparison[] = [];
    for (const servers of LAPS) {
      const stage = await Stage.prepare({
        ...{ devices: DEVICES, servers, tests: [PLAN], agent: 'dist/agent.js', iperf3, env: process.env },
        ...{ version, clock: systemClock, random: Math.random },
        log: { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} },
        onFatal: stopped.fail,
      });
      try {
        laps.push(await stopped.race(compare(stage, iperf3, options)));
      } finally {
        await stage.stop();
      }
    }
    return findings(laps);
  },
};
