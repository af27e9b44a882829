import type { Entry, LazyHeap } from './lazy-heap.ts';

interface Alarmed<T> {
  alarm: Entry<T> | null;
}

/**
 * Whoever has an alarm is looked at when its time has come, or earlier: everybody has one at most, and one that rings too early stays, as it
 * costs less than to move it each time that a device says again that it is ready. Infinity: nothing to wait for.
 */
export const setAlarm = <T extends Alarmed<T>>(alarms: LazyHeap<T>, whose: T, at: number): void => {
  const { alarm } = whose;
  if (alarm !== null && alarm.key <= at && at !== Number.POSITIVE_INFINITY) return;
  if (alarm !== null) alarms.drop(alarm);
  whose.alarm = at === Number.POSITIVE_INFINITY ? null : alarms.push(at, whose);
};

/** When the first of them rings; Infinity when none does. */
export const nextAlarm = <T>(alarms: LazyHeap<T>): number => alarms.peek()?.key ?? Number.POSITIVE_INFINITY;

/** The first whose time has come, null when there is nobody (any more); each alarm rings once. */
export const takeDue = <T extends Alarmed<T>>(alarms: LazyHeap<T>, now: number): T | null => {
  const head = alarms.peek();
  if (head === undefined || head.key > now) return null;
  alarms.drop(head);
  head.item.alarm = null;
  return head.item;
};
