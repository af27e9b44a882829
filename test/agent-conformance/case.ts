import type { World } from './world.ts';

/** One thing that an agent has to do. `rule` is the number of docs/protocol.md. */
export interface Case {
  rule: string;
  title: string;
  /** Takes 10 s or more, so it is begun first. */
  long?: true;
  /** Takes minutes: only on demand. */
  slow?: true;
  /** Rejects with what the agent did wrong. */
  run(world: World): Promise<void>;
}

/** The machine was too slow for a time that the protocol sets: nobody is wrong, and the case is tried again. */
export class TooSlow extends Error {}

/** Throws `why` unless `condition` holds. */
export function must(condition: unknown, why: string): asserts condition {
  if (!condition) throw new Error(why);
}

/** Tries what a busy machine can spoil, though the agent is right, up to so many times; rejects as the last try did. */
export const oneOf = async (tries: number, attempt: (turn: number) => Promise<void>): Promise<void> => {
  for (let turn = 1; turn < tries; turn += 1)
    try {
      return await attempt(turn);
    } catch {
      // the next try counts
    }
  await attempt(tries);
};
