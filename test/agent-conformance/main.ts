import { parseArgs } from 'node:util';
import { agentsHere } from './agents-here.ts';
import { CASES } from './cases/all.ts';
import { lineOf, summaryOf } from './report.ts';
import { runCases } from './run-cases.ts';

const USAGE = `usage: npm run conformance -- [--command COMMAND] [--only RULE] [--slow] [--jobs N] [--json]

Checks what docs/protocol.md asks of agents, against a real broker and real iperf3 servers on loopback.

  --command C  how the agent is started; --config FILE is added, or put where {config} stands.
               Without it: the agents of this repository
  --only RULE  only the cases of this rule: L2
  --slow       also what takes minutes
  --jobs N     so many cases side by side (6)
  --json       one object for each agent: {agent, command, ok, verdicts: [{rule, title, problem, ms}]}

Exit code 0 when every case is ok, 1 when one failed, 2 for wrong usage.
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

/** Runs what the command line asks for; the exit code. */
const main = async (args: string[]): Promise<number> => {
  const { values } = parseArgs({ args, options: OPTIONS });
  if (values.help) {
    say(USAGE);
    return 0;
  }
  const { only, slow, json, command } = values;
  const jobs = Number(values.jobs);
  const cases = CASES.filter((one) => (only === undefined || one.rule === only) && (slow || !one.slow));
  if (cases.length === 0) throw new Error(`no case is about ${only}`);
  if (!Number.isInteger(jobs) || jobs < 1) throw new Error(`--jobs ${values.jobs} is no number of cases`);
  let code = 0;
  for (const agent of command === undefined ? agentsHere(process.env) : [{ name: command, command }]) {
    if (!json) say(`\n${agent.name}: ${agent.command}`);
    const onVerdict = json ? () => {} : (verdict: Parameters<typeof lineOf>[0]) => say(lineOf(verdict));
    const verdicts = await runCases(cases, agent.command, { jobs, onVerdict });
    const ok = verdicts.every(({ problem }) => problem === null);
    say(json ? JSON.stringify({ agent: agent.name, command: agent.command, ok, verdicts }) : summaryOf(verdicts));
    if (!ok) code = 1;
  }
  return code;
};

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n\n${USAGE}`);
  process.exitCode = 2;
}
