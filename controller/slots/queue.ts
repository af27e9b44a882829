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
export const enqueue = ({ state, now, out }: Step, waiting: Waiting): void => {
  lineOf(state, waiting).set(waiting.run, waiting);
  state.look_at = Math.min(state.look_at, lookAt(state, waiting, now));
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

/** When this run next needs a look by itself. */
const lookAt = (state: SlotState, waiting: Waiting, now: number): number => {
  const turn = waiting.not_before > now ? waiting.not_before : Number.POSITIVE_INFINITY;
  return Math.min(waiting.window_end, turn, absentUntil(state, waiting));
};

/** Ends what can't have its turn any more: its window closed, or its device stayed away. Long lines are gone through only when due. */
export const expireWaiting = (step: Step): void => {
  const { state, now, out } = step;
  if (now < state.look_at) return;
  state.look_at = Number.POSITIVE_INFINITY;
  for (const waiting of inOrder(state)) {
    if (absentUntil(state, waiting) <= now) {
      dequeue(state, waiting);
      out.push({ type: 'ended', run: waiting.run, ending: { how: 'skipped', reason: 'device-offline' } });
    } else if (waiting.window_end <= now) {
      dequeue(state, waiting);
      out.push({ type: 'ended', run: waiting.run, ending: { how: 'missed', reason: 'window-closed' } });
    } else state.look_at = Math.min(state.look_at, lookAt(state, waiting, now));
  }
};

/** When the line next needs a look by itself, or earlier. */
export const queueWake = (state: SlotState): number =>
  state.demanded.size + state.scheduled.size === 0 ? Number.POSITIVE_INFINITY : state.look_at;
