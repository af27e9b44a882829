import type { Device, Run } from './state/run.ts';
import type { SlotState } from './state/slot-state.ts';

const NONE: readonly never[] = [];

/** What is known of the device: nothing yet, perhaps. */
export const deviceOf = (state: SlotState, name: string): Device => {
  let device = state.devices.get(name);
  if (device === undefined) {
    device = {
      device: name,
      online: false,
      boot: null,
      replaced: null,
      since: Number.NEGATIVE_INFINITY,
      engaged: NONE,
      waiting: NONE,
    };
    state.devices.set(name, device);
  }
  return device;
};

/** A list without one of its items, the first if it is there more than once. */
export const without = <T>(list: readonly T[], item: T): readonly T[] => {
  if (list.length === 1 && list[0] === item) return NONE;
  const place = list.indexOf(item);
  return place < 0 ? list : list.toSpliced(place, 1);
};

/** A list with one more item at its end. */
export const including = <T>(list: readonly T[], item: T): readonly T[] =>
  list.length === 0 ? [item] : [...list, item];

export const addWaiting = (run: Run): void => {
  const { device } = run;
  device.waiting = including(device.waiting, run);
};

/** A device that never spoke is forgotten with its last run. */
export const removeWaiting = (state: SlotState, run: Run): void => {
  const { device } = run;
  device.waiting = without(device.waiting, run);
  if (device.boot === null && device.waiting.length === 0 && device.engaged.length === 0) {
    state.devices.delete(device.device);
  }
};
