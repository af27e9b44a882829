import type { Case } from './case.ts';
import { World } from './world.ts';

/** What came of a case: `problem` is null when the agent did all that it has to. */
export interface Verdict {
  rule: string;
  title: string;
  problem: string | null;
  ms: number;
}

/** What the agent printed last: it says why, mostly. */
const LAST_LOG = 1500;

/** Runs one case against the agent that `command` starts. Never rejects. */
export const runCase = async (one: Case, command: string, device: string): Promise<Verdict> => {
  const begin = performance.now();
  const verdict = (problem: string | null): Verdict => {
    return { rule: one.rule, title: one.title, problem, ms: Math.round(performance.now() - begin) };
  };
  let world: World | null = null;
  try {
    world = await World.open(command, device);
    await one.run(world);
    return verdict(null);
  } catch (error) {
    const log = world?.lastLog(LAST_LOG) ?? '';
    return verdict(`${(error as Error).message}${log === '' ? '' : `\nthe agent said: ${log}`}`);
  } finally {
    await world?.close();
  }
};

/** Runs cases side by side, at most `jobs` at a time, and tells of each when it is through. The verdicts are in the order of the cases. */
export const runCases = async (
  cases: readonly Case[],
  command: string,
  { jobs, onVerdict }: { jobs: number; onVerdict: (verdict: Verdict) => void },
): Promise<Verdict[]> => {
  const verdicts: Verdict[] = [];
  const waiting = [...cases.entries()].sort(([, a], [, b]) => Number(b.long ?? false) - Number(a.long ?? false));
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [index, one] = next;
      const verdict = await runCase(one, command, `device-${index}`);
      verdicts[index] = verdict;
      onVerdict(verdict);
    }
  };
  await Promise.all(Array.from({ length: jobs }, work));
  return verdicts;
};
