import type { Command } from 'commander';
import { type Context, withExample } from '../context.ts';

/** `perfleet demo`: a controller, agents and iperf3 servers on this machine, for a look around. */
export const addDemo = (program: Command, context: Context): void => {
  const command = program
    .command('demo')
    .description('measure a small fleet on the loopback of this machine, then clean up')
    .option('--json', 'print JSON: runs, slot_use, makespan_s');
  withExample(command, 'perfleet demo').action(async ({ json }: { json?: boolean }) => {
    context.exitCode = await context.parts.demo({ json: json === true }, context.io);
  });
};
