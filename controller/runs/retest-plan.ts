import type { TestPlan } from '../../broker/contract/messages.ts';
import { sourcesOf } from '../results/read-run.ts';
import { measures } from '../schedule/measures.ts';

/**
 * The tests of a check that a new value of a metric takes: those that measure it and, for an automatic bitrate, the TCP tests that this comes
 * from. All of them for `run.success`; none when the check measures no such thing.
 */
export const retestPlan = (metric: string, tests: readonly TestPlan[]): TestPlan[] => {
  const all = [...tests];
  const measuring = all.filter((test) => measures(test, metric));
  const needed = new Set(measuring.map(({ test }) => test));
  for (const plan of measuring.filter(({ bitrate }) => bitrate === 'auto')) {
    for (const source of sourcesOf(plan, all)) needed.add(source);
  }
  return all.filter(({ test }) => needed.has(test));
};
