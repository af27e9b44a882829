import { parseArgs } from 'node:util';
import { shippedAgents } from '../helpers/shipped-agents.ts';
import { CASES } from './cases/all.ts';
import { lineOf, summaryOf } from './report.ts';
import { NOT_ABOUT_AGENTS } from './rules.ts';
import { runCases, type Verdict } from './run-cases.ts';

const USAGE = `usage: npm run conformance -- [--command COMMAND] [--only RULE] [--slow] [--jobs N] [--json]

Checks what docs/protocol.md asks of agents, against a real broker and real iperf3 servers on loopback.

  --command C  how the agent is started; --config FILE is added, or put where {config} stands.
               Without it: the agents of this repository
  --only RULE  only the cases of this rule: L2
  --slow       also what takes minutes
  --jobs N     so many cases side by side (6)
  --json       one object for each agent: {agent, command, ok, verdicts: [{rule, title, problem, ms}]}

Exit code 0 when every case is ok, 1 when one failed, 2 for wrong usage, 130 when it was interrupted.
`;

const OPTIONS = {
  command: { type: 'string' },
  only: { type: 'string' },
  slow: { type: 'boolean', default: false },
  jobs: { type: 'string', default: '6' },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;

const say = (text: string): boolean => process.stdout.write(`${text}\n`);

/** What the command line asks for; throws what is wrong with it. */
const readArguments = (args: string[]) => {
  const { values } = parseArgs({ args, options: OPTIONS });
  const { only, slow, json, help, command } = values;
  const jobs = Number(values.jobs);
  const cases = CASES.filter((one) => (only === undefined || one.rule === only) && (slow || !one.slow));
  if (cases.length === 0) {
    const why = Object.entries(NOT_ABOUT_AGENTS).find(([rule]) => rule === only)?.[1];
    throw new Error(`no case is about ${only}${why === undefined ? '' : `: ${why}`}`);
  }
  if (!Number.isInteger(jobs) || jobs < 1) throw new Error(`--jobs ${values.jobs} is no number of cases`);
  if (command?.trim() === '') throw new Error('--command is empty');
  return { cases, jobs, json, help, command };
};

/** Tests one agent after the other; the exit code. */
const main = async ({ cases, jobs, json, command }: ReturnType<typeof readArguments>, signal: AbortSignal) => {
  let code = 0;
  for (const agent of command === undefined ? shippedAgents(process.env) : [{ name: command, command }]) {
    if (!json) say(command === undefined ? `\n${agent.name}: ${agent.command}` : `\n${command}`);
    const onVerdict = (verdict: Verdict) => void (json || signal.aborted || say(lineOf(verdict)));
    const verdicts = await runCases(cases, agent.command, { jobs, onVerdict, signal });
    if (signal.aborted) return 130;
    const ok = verdicts.every(({ problem }) => problem === null);
    say(json ? JSON.stringify({ agent: agent.name, command: agent.command, ok, verdicts }) : summaryOf(verdicts));
    if (!ok) code = 1;
  }
  return code;
};

const interrupted = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => interrupted.abort());
try {
  const wanted = readArguments(process.argv.slice(2));
  if (wanted.help) say(USAGE);
  else process.exitCode = await main(wanted, interrupted.signal);
  // Cases that were cut short may wait on for a minute.
  if (interrupted.signal.aborted) process.exit();
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n\n${USAGE}`);
  process.exitCode = 2;
}
