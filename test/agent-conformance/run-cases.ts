import { type Case, TooSlow } from './case.ts';
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

/** How often a case is tried on a machine that is too slow. */
const TRIES = 5;

const NEVER = new AbortController().signal;

/** Rejects when the signal comes. */
const interruption = (signal: AbortSignal): Promise<never> => {
  const interrupted = new Promise<never>((_, reject) => {
    const stop = () => reject(new Error('interrupted'));
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
  });
  interrupted.catch(() => {});
  return interrupted;
};

/** As runCase; null when the machine was too slow. */
const tryCase = async (
  one: Case,
  command: string,
  device: string,
  interrupted: Promise<never>,
): Promise<Verdict | null> => {
  const begin = performance.now();
  const worlds: World[] = [];
  let problem: string | null = null;
  let isTooSlow = false;
  try {
    const world = await World.open(command, device);
    worlds.push(world);
    await Promise.race([one.run(world), interrupted]);
  } catch (error) {
    const { message } = error as Error;
    isTooSlow = error instanceof TooSlow;
    const log = worlds[0]?.lastLog(LAST_LOG) ?? '';
    problem = log === '' || message.includes(log) ? message : `${message}\nthe agent said: ${log}`;
  }
  for (const world of worlds)
    await world.close().catch((error: Error) => {
      problem ??= error.message;
    });
  if (isTooSlow) return null;
  return { rule: one.rule, title: one.title, problem, ms: Math.round(performance.now() - begin) };
};

/** Runs one case against the agent that `command` starts, until `interrupted` rejects. Never rejects itself, and leaves nothing running. */
export const runCase = async (
  one: Case,
  command: string,
  device: string,
  interrupted: Promise<never> = new Promise(() => {}),
): Promise<Verdict> => {
  for (let turn = 1; turn <= TRIES; turn += 1) {
    const verdict = await tryCase(one, command, device, interrupted);
    if (verdict !== null) return verdict;
  }
  return { rule: one.rule, title: one.title, problem: 'it declines good starts, or this machine is too slow', ms: 0 };
};

/**
 * Runs cases side by side, at most `jobs` at a time, and tells of each when it is through. The verdicts are in the order of the cases. After
 * the signal none is begun, and those that run end.
 */
export const runCases = async (
  cases: readonly Case[],
  command: string,
  { jobs, onVerdict, signal = NEVER }: { jobs: number; onVerdict: (verdict: Verdict) => void; signal?: AbortSignal },
): Promise<Verdict[]> => {
  const verdicts: Verdict[] = [];
  const interrupted = interruption(signal);
  const waiting = [...cases.entries()].sort(([, a], [, b]) => Number(b.long ?? false) - Number(a.long ?? false));
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined && !signal.aborted; next = waiting.shift()) {
      const [index, one] = next;
      const verdict = await runCase(one, command, `device-${index}`, interrupted);
      verdicts[index] = verdict;
      onVerdict(verdict);
    }
  };
  await Promise.all(Array.from({ length: jobs }, work));
  return verdicts;
};
