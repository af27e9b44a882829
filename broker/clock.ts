import { performance } from 'node:perf_hooks';

/** Time as a parameter: everything that waits takes a Clock, so that tests decide what time it is. */
export interface Clock {
  /** Monotonic milliseconds; only differences mean something. */
  now(): number;
  /** Wall clock, milliseconds since 1970; may jump. */
  wall(): number;
  /** Calls `callback` once after `ms` milliseconds, unless the returned function is called first. */
  after(ms: number, callback: () => void): () => void;
}

/** `setTimeout` takes a signed 32-bit number of milliseconds; beyond that it fires at once. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

/** The real time. The only place of the project that sets raw timers. */
export const systemClock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  after: (ms, callback) => {
    const timer = setTimeout(callback, Math.min(Math.max(0, ms), MAX_TIMEOUT_MS));
    return () => clearTimeout(timer);
  },
};

/** Resolves after `ms` milliseconds of `clock`. */
export const sleep = (clock: Clock, ms: number): Promise<void> => new Promise((resolve) => clock.after(ms, resolve));
