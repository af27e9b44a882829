import Table from 'cli-table3';
import { systemClock } from '../../broker/clock.ts';
import { slotUse, usedShare, type WitnessLine } from '../../controller/demo/witness.ts';
import { FieldController } from '../helpers/field-controller.ts';
import { SshField } from '../helpers/ssh-field.ts';
import type { Bench, BenchOptions, Findings } from './bench.ts';
import { type HeldStage, holdSessions } from './ssh-holder.ts';
import { bare, loop, overSsh } from './ssh-loops.ts';
import { mean, percentile } from './statistics.ts';

const DEVICES = 12;

/** Makespan of perfleet ÷ that of the loop without SSH. */
const MOST_RATIO = 1.02;

const CHECK = { retries: 0, tests: [{ protocol: 'tcp', direction: 'upload', duration: '2s', omit: '0s' }] };

/** Longer than all runs together take. Seconds. */
const LIMIT_S = 90;

/** All devices once. Times count from the order, or from the start of the loop. */
interface Lap extends ReturnType<typeof usedShare> {
  name: string;
  first_spawn_ms: number;
  gaps_ms: number[];
}

const lapOf = (name: string, record: WitnessLine[], began_ms: number): Lap => {
  const use = slotUse(record);
  const spawns = record.filter(({ what }) => what === 'spawn');
  if (use.refused > 0) throw new Error(`${use.refused} iperf3 clients met another one on their server`);
  if (spawns.length !== DEVICES) throw new Error(`iperf3 was started ${spawns.length} times for ${DEVICES} runs`);
  const first_spawn_ms = (spawns[0]?.at_ms ?? 0) - began_ms;
  return { name, ...usedShare(use, began_ms, 1), first_spawn_ms, gaps_ms: use.gaps_ms };
};

/** Every device once, in turns: the loop, perfleet, the loop again, and the loop over SSH. */
const measure = async (field: SshField, { say, signal }: BenchOptions): Promise<Record<'loops' | 'others', Lap[]>> => {
  /** What the witness sees while `work` is done, which resolves with the time when it began. */
  const lap = async (name: string, work: () => Promise<number>): Promise<Lap> => {
    say(`${name} …`);
    const before = field.witness().length;
    const began_ms = await work();
    return lapOf(name, field.witness().slice(before), began_ms);
  };
  const byPerfleet = async (controller: FieldController): Promise<number> => {
    const began_ms = systemClock.wall();
    const records = await controller.measure(
      field.routers.map(({ name }) => name),
      LIMIT_S,
    );
    const bad = records.find(({ outcome, via }) => outcome !== 'success' || via !== 'ssh');
    if (bad !== undefined) throw new Error(`the run of ${bad.device} over ${bad.via} is ${bad.outcome}: ${bad.reason}`);
    return began_ms;
  };
  const before = await lap('bare loop, before', () => loop(field, 'before', bare, signal));
  const controller = await FieldController.prepare({ field, perfleet: 'dist/perfleet.js', check: CHECK });
  let perfleet: Lap;
  try {
    await controller.start();
    await controller.inCharge();
    perfleet = await lap('perfleet', () => byPerfleet(controller));
  } finally {
    await controller.stop();
  }
  const after = await lap('bare loop, after', () => loop(field, 'after', bare, signal));
  const ssh = await lap('ssh device iperf3 …', () => loop(field, 'over-ssh', overSsh(field), signal));
  return { loops: [before, after], others: [perfleet, ssh] };
};

const lapTable = (laps: Lap[]): string => {
  const table = new Table({
    head: [`${DEVICES} runs of 2 s`, 'makespan s', 'first spawn ms', 'gap p50 ms', 'gap p99 ms', 'slot use %'],
    style: { head: [], border: [], compact: true },
    colAligns: ['left', 'right', 'right', 'right', 'right', 'right'],
  });
  for (const { name, makespan_s, first_spawn_ms, gaps_ms, slot_use } of laps)
    table.push([
      ...[name, makespan_s.toFixed(3), first_spawn_ms.toFixed(0)],
      ...[0.5, 0.99].map((share) => percentile(gaps_ms, share).toFixed(1)),
      (slot_use * 100).toFixed(2),
    ]);
  return table.toString();
};

/** Of each stage but the first: what a device more costs, beside the stage before. */
const costs = (stages: HeldStage[]): number[] =>
  stages.map(({ held, pss_mib }, index) => {
    const before = stages[index - 1];
    return before === undefined ? Number.NaN : (1024 * (pss_mib - before.pss_mib)) / (held - before.held);
  });

const heldTable = (stages: HeldStage[]): string => {
  const table = new Table({
    head: ['devices that wait', 'still ready after 10 s', 'ready after s', 'PSS MiB', 'KiB a device more'],
    style: { head: [], border: [], compact: true },
    colAligns: ['right', 'right', 'right', 'right', 'right'],
  });
  const kib = costs(stages);
  stages.forEach(({ asked, held, took_s, pss_mib }, index) => {
    table.push([asked, held, took_s.toFixed(1), pss_mib.toFixed(0), index === 0 ? '' : (kib[index] ?? 0).toFixed(0)]);
  });
  return table.toString();
};

const findings = ({ loops, others }: Record<'loops' | 'others', Lap[]>, stages: HeldStage[]): Findings => {
  const [perfleet, ssh] = others;
  const base_s = mean(loops.map(({ makespan_s }) => makespan_s));
  const ratio = (perfleet?.makespan_s ?? Number.NaN) / base_s;
  const laps = [...loops, ...others];
  const last = stages.at(-1);
  return {
    figures: {
      devices: DEVICES,
      ratio,
      ratio_of_ssh_loop: (ssh?.makespan_s ?? Number.NaN) / base_s,
      laps: laps.map(({ gaps_ms, ...lap }) => ({
        ...lap,
        gap_p50_ms: percentile(gaps_ms, 0.5),
        gap_p99_ms: percentile(gaps_ms, 0.99),
      })),
      held: stages,
      kib_a_device: costs(stages).at(-1),
    },
    tables: [lapTable(laps), heldTable(stages)],
    targets: [
      { what: "perfleet's makespan ÷ the bare loop's", seen: ratio, at_most: MOST_RATIO },
      { what: `devices of ${last?.asked} that still wait`, seen: last?.held ?? 0, at_least: last?.asked ?? 0 },
    ],
  };
};

/** What does SSH cost a slot, and what does a device cost that waits? */
export const sshBench: Bench = {
  about: `${DEVICES} devices over SSH on one server, beside the same iperf3 commands without SSH; 300 devices that wait`,
  async run(options) {
    const field = await SshField.open({ routers: DEVICES, servers: 1 });
    try {
      const laps = await measure(field, options);
      options.say('300 devices that wait …');
      return findings(laps, await holdSessions(field, options.signal));
    } finally {
      await field.remove();
    }
  },
};
