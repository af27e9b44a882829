import { systemClock } from '../broker/clock.ts';
import { runAgent } from './run-agent.ts';

const code = await runAgent(process.argv.slice(2), process.env, {
  stdout: (text) => process.stdout.write(text),
  stderr: (text) => process.stderr.write(text),
  clock: systemClock,
  random: Math.random,
  onStop: (stop) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, stop);
  },
});
process.exit(code);
