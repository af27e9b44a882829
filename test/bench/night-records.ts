import { newState } from '../../controller/slots/configuration.ts';
import { deviceOf } from '../../controller/slots/devices.ts';
import type { RunRequest } from '../../controller/slots/events.ts';
import { LazyHeap } from '../../controller/slots/lazy-heap.ts';
import { newRun, nextSequence } from '../../controller/slots/queue.ts';
import type { Run } from '../../controller/slots/state/run.ts';
import type { SlotState } from '../../controller/slots/state/slot-state.ts';
import type { Random } from '../simulation/random.ts';
import { at } from './night-queue.ts';

/** So often a run is touched while it has a seat or a slot, as are the steps of a grant. */
const LOOKS = 11;

const NONE: never[] = [];

const requestOf = (device: string, run: string): RunRequest => ({
  run,
  device,
  organization: 'o0',
  tags: NONE,
  servers: NONE,
  uplink_group: null,
  tests: NONE,
  on_demand: false,
  priority: 10,
  max_cross_traffic: null,
  not_before: 60_000,
  window_end: 43_260_000,
});

/** In an order of their own, as a night shuffles its devices. */
const shuffled = (count: number, random: Random): Int32Array => {
  const order = Int32Array.from({ length: count }, (_, place) => place);
  for (let place = count - 1; place > 0; place -= 1) {
    const other = random.whole(0, place);
    const kept = at(order, place);
    order[place] = at(order, other);
    order[other] = kept;
  }
  return order;
};

/** What the slots keep of as many devices, and of a run of each. */
const waitingRuns = (state: SlotState, devices: number, random: Random): Run[] => {
  const names = Array.from({ length: devices }, (_, device) => `d${device}`);
  for (const name of names) deviceOf(state, name).online = true;
  const turns = new LazyHeap<Run>();
  return Array.from(shuffled(devices, random), (device) => {
    const run = newRun(state, requestOf(names[device] ?? '', `r${device}`), 0);
    run.device.waiting = [run];
    run.sequence = nextSequence(state);
    run.turn = turns.push(run.sequence, run);
    run.alarm = state.run_alarms.push(run.request.window_end, run);
    state.runs.set(run.request.run, run);
    return run;
  });
};

/**
 * What the memory alone costs: the same records as a night of so many devices keeps are made, and each has a seat once and is looked at there, among as
 * many as there are servers. Nothing is decided, and nobody is told anything. The sum is there for the compiler to leave the looks in.
 */
export const walkRecords = (devices: number, servers: number, random: Random): number => {
  const state = newState({ last_token: 0, random: () => random.next() });
  const seats: Run[] = [];
  let sum = 0;
  for (const run of waitingRuns(state, devices, random)) {
    const seat = random.whole(0, servers - 1);
    const before = seats[seat];
    if (before !== undefined) {
      state.runs.delete(before.request.run);
      state.engaged.delete(before.device.device);
    }
    if (run.turn !== null) run.turn.live = false;
    if (run.alarm !== null) run.alarm.live = false;
    state.engaged.set(run.device.device, run.device);
    seats[seat] = run;
    for (let look = 0; look < LOOKS; look += 1) {
      const one = seats[random.whole(0, servers - 1)];
      if (one === undefined) continue;
      const device = state.engaged.get(one.request.device);
      sum += one.sequence + one.request.window_end + (device?.waiting.length ?? 0);
    }
  }
  return sum;
};
