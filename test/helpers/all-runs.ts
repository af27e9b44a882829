import { setTimeout as delay } from 'node:timers/promises';
import type { Fleet } from '../../controller/fleet.ts';
import type { RunRecord } from '../../controller/run-record.ts';

/** Twelve agents on a busy machine take a while to start; the controller waits 5 s before it is in charge. */
const ONLINE_MS = 30_000;

/** Waits until the controller is in charge and all its devices are online. */
export const allOnline = async (fleet: Fleet): Promise<void> => {
  const end = performance.now() + ONLINE_MS;
  for (;;) {
    const { in_charge, devices, devices_online } = fleet.status();
    if (in_charge && devices === devices_online) return;
    if (performance.now() > end) {
      throw new Error(`after ${ONLINE_MS / 1000} s ${devices_online} of ${devices} devices were online`);
    }
    await delay(20);
  }
};

/** Orders a run of each device, in this order. `finished` resolves with their records, in the same order, when all are final. */
export const orderRuns = (fleet: Fleet, devices: string[]): { runs: string[]; finished: Promise<RunRecord[]> } => {
  const runs: string[] = [];
  const final = new Set<string>();
  const finished = new Promise<RunRecord[]>((resolve) => {
    const stop = fleet.runs.watch(({ phase, run }) => {
      if (phase === 'final') final.add(run);
      if (runs.length < devices.length || !runs.every((one) => final.has(one))) return;
      stop();
      resolve(runs.map((one) => recordOf(fleet, one)));
    });
  });
  for (const device of devices) {
    const order = fleet.runs.order({ device, server: null }, (run) => runs.push(run));
    if (!order.ok) throw new Error(order.problem.message);
  }
  return { runs, finished };
};

const recordOf = (fleet: Fleet, run: string): RunRecord => {
  const record = fleet.runs.record(run);
  if (!record.ok) throw new Error(record.problem.message);
  return record.value;
};
