import { type Command, Option } from 'commander';
import { type Context, withExample } from '../context.ts';
import { DEFAULT_CONFIG } from '../find-controller.ts';
import { serveController } from '../serve-controller.ts';

/** `perfleet serve`: the controller. */
export const addServe = (program: Command, context: Context): void => {
  const command = program
    .command('serve')
    .description('run the controller; SIGHUP makes it read its configuration again')
    .option('--config <file>', 'its configuration', DEFAULT_CONFIG)
    .addOption(
      new Option('--log-level <level>', 'the least that is logged')
        .choices(['debug', 'info', 'warn', 'error'])
        .default('info'),
    );
  withExample(command, `perfleet serve --config ${DEFAULT_CONFIG}`).action(
    async ({ config, logLevel }: { config: string; logLevel: string }) => {
      await serveController(context, config, logLevel);
    },
  );
};
