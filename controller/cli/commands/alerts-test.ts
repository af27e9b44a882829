import type { Command } from 'commander';
import { asksController, type Context, type ControllerFlags, clientOf, printJson } from '../context.ts';
import { CommandFailure } from '../failure.ts';
import { harmless } from '../terminal-text.ts';
import { typedName } from '../typed-name.ts';

/** `perfleet alerts test`: whether a receiver can be reached. */
export const addAlertsTest = (parent: Command, context: Context): void => {
  const test = parent
    .command('test')
    .description('send a test to a receiver, and show what it answers')
    .argument('<receiver>', 'its name in the configuration', typedName);
  asksController(test, 'perfleet alerts test noc').action(async (receiver: string, flags: ControllerFlags) => {
    const outcome = await clientOf(context, flags).testReceiver(receiver);
    if (flags.json) {
      printJson(context, outcome);
      if (!outcome.delivered) context.exitCode = 1;
      return;
    }
    if (!outcome.delivered) throw new CommandFailure(`${receiver} did not take the test: ${harmless(outcome.answer)}`);
    context.io.stdout.write(`${receiver} took the test ${outcome.id}: ${harmless(outcome.answer)}\n`);
  });
};
