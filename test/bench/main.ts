import { availableParallelism, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { agentBench } from './agent.ts';
import { alertsBench } from './alerts.ts';
import { type Bench, isMet, verdict } from './bench.ts';
import { handoffBench } from './handoff.ts';
import { influxBench } from './influx.ts';
import { ingestBench } from './ingest.ts';
import { nightBench } from './night.ts';
import { slotsBench } from './slots.ts';
import { sshBench } from './ssh.ts';

const BENCHES: Record<string, Bench> = {
  slots: slotsBench,
  handoff: handoffBench,
  night: nightBench,
  agent: agentBench,
  ingest: ingestBench,
  influx: influxBench,
  alerts: alertsBench,
  ssh: sshBench,
};

const USAGE = `usage: npm run bench -- [NAME] [--json] [--help]

${Object.entries(BENCHES)
  .map(([name, { about }]) => `  ${name.padEnd(8)} ${about}`)
  .join('\n')}

Without a name all of them run, one after another. The agent on ucode is measured where ucode is on the PATH, or named: UCODE=/path/to/ucode.
`;

/** The names of the benches to run; null when the arguments make no sense. */
const readArguments = (args: string[]): { names: string[]; json: boolean; help: boolean } | null => {
  try {
    const { values, positionals } = parseArgs({
      args,
      options: { json: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } },
      allowPositionals: true,
    });
    const known = positionals.length <= 1 && positionals.every((name) => Object.hasOwn(BENCHES, name));
    return known ? { names: positionals.length > 0 ? positionals : Object.keys(BENCHES), ...values } : null;
  } catch {
    return null;
  }
};

/** The exit code: 0 when everything ran, whatever it found; a bench is not a test. */
const main = async (args: string[], signal: AbortSignal): Promise<number> => {
  const wanted = readArguments(args);
  if (wanted === null) {
    process.stderr.write(USAGE);
    return 2;
  }
  if (wanted.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  const say = (line: string) => process.stderr.write(`${line}\n`);
  const report: Record<string, object> = {};
  for (const name of wanted.names) {
    const bench = BENCHES[name];
    if (bench === undefined) continue;
    const machine = { cpus: availableParallelism(), load_before: loadavg()[0] };
    say(`${name}: ${bench.about}`);
    const { figures, tables, targets } = await bench.run({ say, signal });
    report[name] = { machine, ...figures, targets: targets.map((target) => ({ ...target, met: isMet(target) })) };
    if (wanted.json) continue;
    const noise = `${machine.cpus} CPUs, load ${machine.load_before?.toFixed(1)} before it began.`;
    for (const text of [...tables, noise, ...targets.map(verdict), '']) process.stdout.write(`${text}\n`);
  }
  if (wanted.json) process.stdout.write(`${JSON.stringify(report)}\n`);
  return 0;
};

const interrupted = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => interrupted.abort());
try {
  process.exitCode = await main(process.argv.slice(2), interrupted.signal);
} catch (error) {
  process.stderr.write(`bench: ${(error as Error).message}\n`);
  process.exitCode = interrupted.signal.aborted ? 130 : 1;
}
