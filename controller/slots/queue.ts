import {
  CONNECT_GRACE_MS,
  MAX_SETBACKS,
  OFFLINE_GRACE_MS,
  SETBACK_DELAY_MS,
  type SlotState,
  type Step,
  type Waiting,
} from './state.ts';

/** The line that a run waits in. */
const lineOf = (state: SlotState, waiting: Waiting): Map<string, Waiting> =>
  waiting.on_demand ? state.demanded : state.scheduled;

/** All waiting runs in the order of their turn. */
export function* inOrder(state: SlotState): Generator<Waiting> {
  yield* state.demanded.values();
  yield* state.scheduled.values();
}

export const findWaiting = (state: SlotState, run: string): Waiting | undefined =>
  state.demanded.get(run) ?? state.scheduled.get(run);

/** Puts a run at the end of its line. */
export const enqueue = ({ state, out }: Step, waiting: Waiting): void => {
  lineOf(state, waiting).set(waiting.run, waiting);
  out.push({ type: 'phase', run: waiting.run, phase: 'waiting' });
};

export const dequeue = (state: SlotState, waiting: Waiting): void => {
  lineOf(state, waiting).delete(waiting.run);
};

/** Back to the line after its device did not answer or declined for a passing reason; given up after MAX_SETBACKS. */
export const setBack = (step: Step, waiting: Waiting, reason: string): void => {
  const setbacks = waiting.setbacks + 1;
  if (setbacks >= MAX_SETBACKS) {
    step.out.push({ type: 'ended', run: waiting.run, ending: { how: 'skipped', reason } });
    return;
  }
  enqueue(step, { ...waiting, setbacks, not_before: step.now + SETBACK_DELAY_MS * setbacks });
};

/** Until when an absent device is waited for; Infinity while nothing can be known of it. */
const absentUntil = (state: SlotState, waiting: Waiting): number => {
  const presence = state.presence.get(waiting.device);
  if (presence?.online === true || !state.in_charge) return Number.POSITIVE_INFINITY;
  if (waiting.on_demand) return Math.max(waiting.since, state.in_charge_since + CONNECT_GRACE_MS);
  return Math.max(waiting.since, state.in_charge_since, presence?.since ?? 0) + OFFLINE_GRACE_MS;
};

/** Ends what can't have its turn any more: its window closed, or its device stayed away. */
export const expireWaiting = (step: Step): void => {
  const { state, now, out } = step;
  for (const waiting of inOrder(state)) {
    if (absentUntil(state, waiting) <= now) {
      dequeue(state, waiting);
      out.push({ type: 'ended', run: waiting.run, ending: { how: 'skipped', reason: 'device-offline' } });
    } else if (waiting.window_end <= now) {
      dequeue(state, waiting);
      out.push({ type: 'ended', run: waiting.run, ending: { how: 'missed', reason: 'window-closed' } });
    }
  }
};

/** When the line next needs a look by itself. */
export const queueWake = (state: SlotState, now: number): number => {
  let wake = Number.POSITIVE_INFINITY;
  for (const waiting of inOrder(state)) {
    const turn = waiting.not_before > now ? waiting.not_before : Number.POSITIVE_INFINITY;
    wake = Math.min(wake, waiting.window_end, turn, absentUntil(state, waiting));
  }
  return wake;
};
