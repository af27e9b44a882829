import type { ProgressView } from '../api/run-views.ts';
import { count } from './figures.ts';

/** One test of a plan, as far as its duration goes. */
type Planned = Extract<ProgressView, { tests: unknown }>['tests'][number];

/** How long tests will take, in seconds. */
export const plannedSeconds = (tests: readonly Planned[]): number =>
  tests.reduce((sum, { duration_s, omit_s }) => sum + duration_s + omit_s, 0);

/** What a step of a run is called; null for what needs no words. */
export const wordsOf = (progress: ProgressView): string | null => {
  switch (progress.phase) {
    case 'waiting':
      return `waiting${progress.reason === null ? ' for its turn' : `: ${progress.reason}`}`;
    case 'on-deck':
      return `on deck for ${progress.server}: getting ready`;
    case 'starting':
      return `starting on ${progress.server}`;
    case 'running':
      return `measuring on ${progress.server}: ${count(progress.tests.length, 'test')}, about ${plannedSeconds(progress.tests)} s`;
    case 'finished':
      return 'measured, the result is on its way';
    case 'final':
      return null;
  }
};

/**
 * How far each test is, 0 to 1, `elapsed_s` after the first began: an estimate from the plan, they run one after the other.
 * One that should be over is shown just short of it, for nobody has said so.
 */
export const estimatedShares = (tests: readonly Planned[], elapsed_s: number): number[] => {
  let begin = 0;
  return tests.map(({ duration_s, omit_s }) => {
    const share = (elapsed_s - begin) / (duration_s + omit_s);
    begin += duration_s + omit_s;
    const last = begin === plannedSeconds(tests);
    return Math.min(last ? 0.99 : 1, Math.max(0, share));
  });
};
