import { suppressesDevice } from '../schedule/suppression.ts';
import { setAlarm } from './alarms.ts';
import { endRun, windowOver } from './ending.ts';
import { loseTurn, takeTurn } from './lanes.ts';
import type { Device, Run } from './state/run.ts';
import type { SlotState, Step } from './state/slot-state.ts';
import { become } from './transitions.ts';

/*
 * A run that waits may take a seat when nothing of its own keeps it from that. What does, is also what frees it: a suppression (looked
 * at when suppressions change), its time (an alarm), its device being away or engaged elsewhere (found through the device).
 */

/** A scheduled run, once its time has come, waits this long for an offline device to come back; one that a person asked for is answered at once, … */
export const OFFLINE_GRACE_MS = 60_000;

/** … but agents get this long to connect again after the controller or its broker was away. */
export const CONNECT_GRACE_MS = 15_000;

/** Until when an absent device is waited for; Infinity while nothing can be known of it. */
const absentUntil = (state: SlotState, run: Run, device: Device): number => {
  if (device.online || !state.in_charge) return Number.POSITIVE_INFINITY;
  if (run.request.on_demand) return Math.max(run.since, state.in_charge_since + CONNECT_GRACE_MS);
  return Math.max(run.since, run.not_before, state.in_charge_since, device.since) + OFFLINE_GRACE_MS;
};

const isSuppressed = (state: SlotState, run: Run): boolean =>
  state.suppressions.length > 0 &&
  (suppressesDevice(state.suppressions, run.request) || run.line?.lane.list.suppressed === true);

/** Held while it is suppressed; true when it is. A person is answered at once. After it the device has its grace anew. */
const hold = (step: Step, run: Run): boolean => {
  const { state, now } = step;
  if (!isSuppressed(state, run)) {
    if (run.state === 'held') {
      become(run, 'waiting');
      run.since = now;
    }
    return false;
  }
  if (run.state === 'waiting') become(run, 'held');
  loseTurn(state, run);
  if (run.request.on_demand) endRun(step, run, { how: 'skipped', reason: 'suppressed' });
  else setAlarm(state.run_alarms, run, run.request.window_end);
  return true;
};

/** Looks again at what a waiting run waits for, and ends it when it can't have its turn any more. */
export const place = (step: Step, run: Run): void => {
  const { state, now } = step;
  if (hold(step, run)) {
    if (run.state === 'held' && now >= run.request.window_end) endRun(step, run, windowOver(step, run));
    return;
  }
  const { device } = run;
  const absent_until = absentUntil(state, run, device);
  if (now >= absent_until) {
    endRun(step, run, { how: 'skipped', reason: 'device-offline' });
    return;
  }
  if (now >= run.request.window_end) {
    endRun(step, run, windowOver(step, run));
    return;
  }
  if (device.online && device.engaged.length === 0 && now >= run.not_before) takeTurn(state, run);
  else loseTurn(state, run);
  const turn_at = run.not_before > now ? run.not_before : Number.POSITIVE_INFINITY;
  setAlarm(state.run_alarms, run, Math.min(run.request.window_end, turn_at, absent_until));
};

/** Something happened to the device: its runs that wait are looked at again. */
export const placeRunsOf = (step: Step, device: Device): void => {
  for (const run of device.waiting) place(step, run);
};
