import { setAlarm } from './alarms.ts';
import { removeWaiting } from './devices.ts';
import type { Ending } from './events.ts';
import { leaveLine } from './lanes.ts';
import type { Run } from './state/run.ts';
import type { Server } from './state/server.ts';
import type { SlotState, Step } from './state/slot-state.ts';
import { become, type RunState } from './transitions.ts';

/** Why a window is over for a run that was not measured in it. */
export type WindowOver = Extract<Ending, { how: 'skipped' | 'missed' }>;

/** The run does not wait any more. */
export const stopWaiting = (state: SlotState, run: Run): void => {
  leaveLine(state, run);
  removeWaiting(state, run);
  setAlarm(state.run_alarms, run, Number.POSITIVE_INFINITY);
};

/** Nobody expects anything of the run any more; it may hold its slot still. */
export const giveUp = (state: SlotState, run: Run, to: Extract<RunState, 'ended' | 'released' | 'stopping'>): void => {
  // Who is stopping was given up before: there may be another one of its name.
  if (run.state !== 'stopping') state.runs.delete(run.request.run);
  become(run, to);
};

/** The run leaves the slots without a result. */
export const endRun = ({ state, out }: Step, run: Run, ending: Ending): void => {
  if (run.line !== null) stopWaiting(state, run);
  giveUp(state, run, 'ended');
  out.push({ type: 'ended', run: run.request.run, ending });
};

/** Whether the server is in maintenance, or so near to it that a run of `slot_ms` could reach into it. */
export const isMaintained = ({ maintenance, maintenance_at }: Server, slot_ms: number, now: number): boolean =>
  maintenance || now >= maintenance_at - slot_ms;

/** What is said of a run whose window is over before it had a slot. */
export const windowOver = ({ now }: Step, run: Run): WindowOver => {
  if (run.state === 'held') return { how: 'skipped', reason: 'suppressed' };
  if (run.crossings > 0) return { how: 'missed', reason: 'cross-traffic' };
  if (run.line !== null) {
    const { list, slot_ms } = run.line.lane;
    const servers = [...list.servers.keys()];
    if (servers.length > 0 && servers.every((server) => isMaintained(server, slot_ms, now)))
      return { how: 'missed', reason: 'server-maintenance' };
  }
  return { how: 'missed', reason: 'window-closed' };
};
