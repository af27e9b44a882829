import type { Run, Server, SlotState } from './state.ts';

/**
 * Whoever has an alarm is looked at when its time has come, or earlier: everybody has one at most, and one that rings too early stays, as it
 * costs less than to move it each time that a device says again that it is ready. Infinity: nothing to wait for.
 */
export const setAlarm = (state: SlotState, whose: Run | Server, at: number): void => {
  const { alarm } = whose;
  if (alarm !== null && alarm.key <= at && at !== Number.POSITIVE_INFINITY) return;
  if (alarm !== null) state.alarms.drop(alarm);
  whose.alarm = at === Number.POSITIVE_INFINITY ? null : state.alarms.push(at, whose);
};

/** Whose time has come, the earliest first; each alarm rings once. */
export function* dueAlarms(state: SlotState, now: number): Generator<Run | Server> {
  for (let head = state.alarms.peek(); head !== undefined && head.key <= now; head = state.alarms.peek()) {
    state.alarms.drop(head);
    head.item.alarm = null;
    yield head.item;
  }
}
