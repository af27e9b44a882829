import '../../agent/hosts/node/builtins.ts';
import Table from 'cli-table3';
import { argv } from '../../agent/iperf3/argv.ts';
import { systemClock } from '../../broker/clock.ts';
import type { TestPlan } from '../../broker/contract/messages.ts';
import { version } from '../../broker/version.ts';
import { findProgram } from '../../controller/demo/find-program.ts';
import { Stage } from '../../controller/demo/stage.ts';
import { readWitness, slotUse, type WitnessLine } from '../../controller/demo/witness.ts';
import { allOnline, orderRuns } from '../helpers/all-runs.ts';
import type { Bench, BenchOptions, Findings } from './bench.ts';
import { plainLoop } from './plain-loop.ts';
import { mean, percentile } from './statistics.ts';
import { unlessStopped } from './unless-stopped.ts';

const DEVICES = 12;

const PLAN: TestPlan = {
  ...{ test: 'tcp-upload', protocol: 'tcp', direction: 'upload', duration_s: 2, omit_s: 0, streams: 1 },
  ...{ bitrate: null, length: null, window: null, congestion: null },
};

/** Makespan of perfleet ÷ that of the loop. */
const TARGET = 1.02;

/** All devices once. */
interface Lap {
  /** From the order, or the start of the loop, to the last exit of iperf3. */
  makespan_s: number;
  /** From the order to the first spawn of iperf3. */
  first_spawn_ms: number;
  /** From the exit of one iperf3 to the spawn of the next. */
  gaps_ms: number[];
  /** Share of the makespan in which an iperf3 ran. */
  slot_use: number;
}

const lapOf = (record: WitnessLine[], began_ms: number): Lap => {
  const { busy_ms, gaps_ms, last_exit_ms, refused } = slotUse(record);
  const spawns = record.filter(({ what }) => what === 'spawn');
  if (refused > 0) throw new Error(`${refused} iperf3 clients met another one on their server`);
  if (spawns.length !== DEVICES) throw new Error(`iperf3 was started ${spawns.length} times for ${DEVICES} runs`);
  return {
    makespan_s: (last_exit_ms - began_ms) / 1000,
    first_spawn_ms: (spawns[0]?.at_ms ?? Number.NaN) - began_ms,
    gaps_ms,
    slot_use: busy_ms / (last_exit_ms - began_ms),
  };
};

/** perfleet measures all devices of the stage. */
const perfleetLap = async (stage: Stage): Promise<Lap> => {
  const { fleet } = stage.controller;
  const began_ms = systemClock.wall();
  const devices = fleet.devices().map(({ device }) => device);
  const records = await orderRuns(fleet, devices).finished;
  const bad = records.find(({ outcome }) => outcome !== 'success');
  if (bad !== undefined) throw new Error(`the run of ${bad.device} is ${bad.outcome}: ${bad.reason}`);
  return lapOf(readWitness(stage.witness), began_ms);
};

const compare = async (stage: Stage, iperf3: string, { say, signal }: BenchOptions): Promise<Findings> => {
  await stage.start();
  const { fleet } = stage.controller;
  await allOnline(fleet);
  const [server] = fleet.servers();
  const [device] = fleet.devices();
  if (server === undefined || device === undefined) throw new Error('the stage is empty');
  const target = { host: server.host, port: server.port, username: null, key_path: null };
  const args = argv(PLAN, target, null, device.iperf3);
  const loop = async (name: string): Promise<Lap> => {
    const began_ms = systemClock.wall();
    return lapOf(
      await plainLoop({ folder: `${stage.folder}/${name}`, iperf3, args, times: DEVICES, signal }),
      began_ms,
    );
  };
  say(`a plain loop of ${DEVICES} × iperf3 ${args.join(' ')} …`);
  const before = await loop('before');
  say('perfleet …');
  const perfleet = await perfleetLap(stage);
  say('the plain loop again …');
  const after = await loop('after');
  return findings(perfleet, [before, after]);
};

const row = (name: string, lap: Lap): string[] => [
  name,
  lap.makespan_s.toFixed(3),
  lap.first_spawn_ms.toFixed(0),
  percentile(lap.gaps_ms, 0.5).toFixed(1),
  percentile(lap.gaps_ms, 0.99).toFixed(1),
  (lap.slot_use * 100).toFixed(2),
];

const figuresOf = ({ gaps_ms, ...lap }: Lap) => ({
  ...lap,
  gap_p50_ms: percentile(gaps_ms, 0.5),
  gap_p99_ms: percentile(gaps_ms, 0.99),
});

const findings = (perfleet: Lap, loops: [Lap, Lap]): Findings => {
  const ratio = perfleet.makespan_s / mean(loops.map(({ makespan_s }) => makespan_s));
  const table = new Table({
    head: [`${DEVICES} runs`, 'makespan s', 'first spawn ms', 'gap p50 ms', 'gap p99 ms', 'slot use %'],
    style: { head: [], border: [], compact: true },
    colAligns: ['left', 'right', 'right', 'right', 'right', 'right'],
  });
  table.push(row('loop, before', loops[0]), row('perfleet', perfleet), row('loop, after', loops[1]));
  return {
    figures: { devices: DEVICES, ratio, refused: 0, perfleet: figuresOf(perfleet), loops: loops.map(figuresOf) },
    tables: [table.toString(), 'No two iperf3 clients ever shared the server.'],
    targets: [{ what: "perfleet's makespan ÷ the loop's", seen: ratio, at_most: TARGET }],
  };
};

/** What does it cost to let perfleet hand the slot of a server from device to device, instead of a shell loop? */
export const slotsBench: Bench = {
  about: `${DEVICES} runs on one server, by perfleet and by a plain shell loop of the same iperf3 commands`,
  async run({ say, signal }) {
    const iperf3 = findProgram('iperf3', process.env);
    if (iperf3 === null) throw new Error('iperf3 is not on the PATH. Install it: sudo apt-get install -y iperf3');
    const stopped = unlessStopped(signal);
    const stage = await Stage.prepare({
      ...{ devices: DEVICES, servers: 1, tests: [PLAN], agent: 'dist/agent.js', iperf3, env: process.env },
      ...{ version, clock: systemClock, random: Math.random },
      log: { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} },
      onFatal: stopped.fail,
    });
    try {
      return await stopped.race(compare(stage, iperf3, { say, signal }));
    } finally {
      await stage.stop();
    }
  },
};
