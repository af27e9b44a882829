import { BrokenLaw } from './laws/broken-law.ts';
import { type NightOptions, runNight } from './night.ts';

/** What became of one seed. */
export type Verdict =
  | { seed: number; ok: true; outcomes: [string, number][] }
  /** `law` is its name, or `the code threw` when the product or the simulation did. */
  | { seed: number; ok: false; law: string; message: string };

/** Runs one night; never throws. */
export const judge = (options: NightOptions): Verdict => {
  const { seed } = options;
  try {
    return { seed, ok: true, outcomes: [...runNight(options)] };
  } catch (error) {
    if (error instanceof BrokenLaw) return { seed, ok: false, law: error.law, message: error.message };
    return {
      seed,
      ok: false,
      law: 'the code threw',
      message: error instanceof Error ? (error.stack ?? '') : `${error}`,
    };
  }
};
