import type { Command } from 'commander';
import { type Context, withExample } from '../context.ts';

/** `perfleet agent`: the agent of one device, under Node.js. */
export const addAgent = (program: Command, context: Context): void => {
  const command = program
    .command('agent')
    .description('run the agent of this device')
    .requiredOption('--config <file>', "the agent's file, JSON or YAML");
  withExample(command, 'perfleet agent --config /etc/perfleet/agent.yaml').action(
    async ({ config }: { config: string }) => {
      const { io, parts } = context;
      context.exitCode = await parts.agent(['--config', config], io.env, io);
    },
  );
};
