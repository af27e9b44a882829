import { setTimeout as delay } from 'node:timers/promises';

/** Waits until `condition` gives something true-ish, and returns it; rejects after `within_s` with `what`. For what has no event to wait for. */
export const until = async <T>(
  what: string,
  condition: () => T | Promise<T>,
  within_s = 30,
): Promise<NonNullable<T>> => {
  const end = performance.now() + 1000 * within_s;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (performance.now() > end) throw new Error(`waited ${within_s} s in vain until ${what}`);
    await delay(5);
  }
};
