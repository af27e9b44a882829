import { beforeAll, expect, it } from 'vitest';
import { CASES } from './cases/all.ts';
import { runCases, type Verdict } from './run-cases.ts';

/** Longer than all cases take on a machine that is ten times slower. */
const LONG_MS = 3_600_000;

/** Most of them wait most of the time. */
const JOBS = 12;

const QUICK = CASES.filter(({ slow }) => !slow);

/** One test for each case, against the agent that `command` starts. */
export const itConforms = (command: () => string): void => {
  let verdicts: Verdict[] = [];
  beforeAll(async () => {
    verdicts = await runCases(QUICK, command(), { jobs: JOBS, onVerdict: () => {} });
  }, LONG_MS);
  it.each(QUICK.map(({ rule, title }, index) => [rule, title, index] as const))('%s: %s', (_rule, _title, index) => {
    expect(verdicts[index]?.problem).toBeNull();
  });
};
