import { setTimeout as delay } from 'node:timers/promises';

/** Waits until `condition` gives something true-ish, and returns it; rejects after 10 s with `what`. For what has no event to wait for. */
export const until = async <T>(what: string, condition: () => T | Promise<T>): Promise<NonNullable<T>> => {
  const end = performance.now() + 10_000;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (performance.now() > end) throw new Error(`waited 10 s in vain until ${what}`);
    await delay(5);
  }
};
