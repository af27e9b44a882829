import { addWaiting, deviceOf } from './devices.ts';
import { place } from './eligibility.ts';
import { endRun } from './ending.ts';
import type { RunRequest } from './events.ts';
import { jittered } from './jitter.ts';
import { enterLine, leaveLine } from './lanes.ts';
import type { Run } from './state/run.ts';
import type { SlotState, Step } from './state/slot-state.ts';
import { become } from './transitions.ts';

/** After this many prepares without an answer a run is given up as `skipped`. */
const MAX_SETBACKS = 3;

/** A run whose device did not answer, or declined for a passing reason, is tried again after this, times its setbacks. */
const SETBACK_DELAY_MS = 5000;

/** A device with other traffic on its link is asked again after this; the wait doubles each time … */
const CROSS_TRAFFIC_FIRST_MS = 60_000;

/** … up to this. A person gets the first wait only, and so often; then they are told. */
const CROSS_TRAFFIC_MAX_MS = 900_000;
const CROSS_TRAFFIC_ON_DEMAND = 3;

export const newRun = (state: SlotState, request: RunRequest, now: number): Run => ({
  request,
  device: deviceOf(state, request.device),
  state: 'new',
  sequence: 0,
  since: now,
  not_before: request.not_before,
  setbacks: 0,
  crossings: 0,
  line: null,
  turn: null,
  alarm: null,
});

export const nextSequence = (state: SlotState): number => {
  state.sequence += 1;
  return state.sequence;
};

/** The run waits, in the place that its sequence gives it. */
export const enqueue = (step: Step, run: Run): void => {
  const { state, out } = step;
  become(run, 'waiting');
  out.push({ type: 'phase', run: run.request.run, phase: 'waiting' });
  addWaiting(run);
  enterLine(state, run);
  place(step, run);
};

/** The run waits on in its place, for what it asks for now. */
export const replaceRequest = (step: Step, run: Run, request: RunRequest): void => {
  leaveLine(step.state, run);
  run.request = request;
  enterLine(step.state, run);
  place(step, run);
};

/** Back to the end of the line after its device did not answer or declined for a passing reason; given up after MAX_SETBACKS. */
export const setBack = (step: Step, run: Run, reason: string): void => {
  run.setbacks += 1;
  run.crossings = 0;
  if (run.setbacks >= MAX_SETBACKS) {
    endRun(step, run, { how: 'skipped', reason });
    return;
  }
  run.not_before = step.now + SETBACK_DELAY_MS * run.setbacks;
  run.sequence = nextSequence(step.state);
  enqueue(step, run);
};

/** Back to the line while somebody uses the device's link. That is nobody's fault: it is no setback, and has the whole window. */
export const waitForQuiet = (step: Step, run: Run): void => {
  const { state, now } = step;
  const { on_demand } = run.request;
  if (on_demand && run.crossings >= CROSS_TRAFFIC_ON_DEMAND) {
    endRun(step, run, { how: 'skipped', reason: 'cross-traffic' });
    return;
  }
  const doubled = on_demand ? CROSS_TRAFFIC_FIRST_MS : CROSS_TRAFFIC_FIRST_MS * 2 ** run.crossings;
  run.crossings += 1;
  run.not_before = now + jittered(Math.min(CROSS_TRAFFIC_MAX_MS, doubled), state.random);
  run.sequence = nextSequence(state);
  enqueue(step, run);
};
