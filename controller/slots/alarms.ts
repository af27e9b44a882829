import type { Run, Server, SlotState } from './state.ts';

/** Whoever has an alarm is looked at when its time has come; everybody has one at most. Infinity: nothing to wait for. */
export const setAlarm = (state: SlotState, whose: Run | Server, at: number): void => {
  const { alarm } = whose;
  if ((alarm?.first ?? Number.POSITIVE_INFINITY) === at) return;
  if (alarm !== null) state.alarms.drop(alarm);
  whose.alarm = at === Number.POSITIVE_INFINITY ? null : state.alarms.push(at, 0, whose);
};

/** Whose time has come, the earliest first; each alarm rings once. */
export function* dueAlarms(state: SlotState, now: number): Generator<Run | Server> {
  for (let head = state.alarms.peek(); head !== undefined && head.first <= now; head = state.alarms.peek()) {
    state.alarms.drop(head);
    head.item.alarm = null;
    yield head.item;
  }
}
