import { type Clock, sleep } from '../../broker/clock.ts';
import type { ProgressView } from '../api/run-views.ts';
import type { RunRecord } from '../run-record.ts';
import type { ApiClient } from './api-client.ts';
import { Unreachable } from './api-line.ts';
import { CommandFailure } from './failure.ts';

/** A controller that restarts is back within this many tries, a second apart; its runs go on meanwhile. */
const TRIES = 30;
const BETWEEN_TRIES_MS = 1000;

/**
 * Calls `show` with each step of a run and resolves with its record when it is over. Connects again when the line breaks;
 * throws CommandFailure when the controller stays away.
 */
export const followRun = async (
  api: ApiClient,
  run: string,
  clock: Clock,
  show: (progress: ProgressView) => void,
): Promise<RunRecord> => {
  for (let failed = 0; failed < TRIES; failed++) {
    if (failed > 0) await sleep(clock, BETWEEN_TRIES_MS);
    try {
      for await (const progress of api.events(run)) {
        failed = 0;
        show(progress);
        if (progress.phase === 'final') return progress.record;
      }
    } catch (error) {
      if (!(error instanceof Unreachable)) throw error;
    }
  }
  throw new CommandFailure(
    `lost the controller while run ${run} goes on: \`perfleet results\` shows it when it is over`,
  );
};
