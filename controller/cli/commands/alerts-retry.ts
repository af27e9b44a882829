import type { Command } from 'commander';
import { asksController, type Context, type ControllerFlags, clientOf, printJson } from '../context.ts';
import { count } from '../figures.ts';
import { typedName } from '../typed-name.ts';

/** `perfleet alerts retry`: sends again what receivers refused. */
export const addAlertsRetry = (parent: Command, context: Context): void => {
  const retry = parent
    .command('retry')
    .description('send the notices again that a receiver has refused')
    .argument('[receiver]', 'its name in the configuration; all receivers unless given', typedName);
  asksController(retry, 'perfleet alerts retry noc').action(
    async (receiver: string | undefined, flags: ControllerFlags) => {
      const answer = await clientOf(context, flags).retryNotices(receiver ?? null);
      if (flags.json) printJson(context, answer);
      else context.io.stdout.write(`${count(answer.requeued, 'notice')} will be sent again.\n`);
    },
  );
};
