import type { Verdict } from './run-cases.ts';

const FIRST_COLUMN = 5;

/** One line for a verdict, and more if there is something to say. */
export const lineOf = ({ rule, title, problem, ms }: Verdict): string => {
  const line = `${rule.padEnd(FIRST_COLUMN)} ${problem === null ? 'ok  ' : 'FAIL'} ${title} (${(ms / 1000).toFixed(1)} s)`;
  return problem === null ? line : `${line}\n${problem.replaceAll(/^/gm, '           ')}`;
};

/** The last line. */
export const summaryOf = (verdicts: readonly Verdict[]): string => {
  const bad = verdicts.filter(({ problem }) => problem !== null);
  if (bad.length === 0) return verdicts.length === 1 ? 'the case is ok' : `all ${verdicts.length} cases are ok`;
  return `${bad.length} of ${verdicts.length} cases failed: ${[...new Set(bad.map(({ rule }) => rule))].join(', ')}`;
};
