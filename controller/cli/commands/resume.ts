import { type Command, Option } from 'commander';
import { scopeOf, scopeWords } from '../../schedule/suppression.ts';
import { asksController, type Context, type ControllerFlags, clientOf, printJson } from '../context.ts';
import { type ScopeFlags, scopeIn, takesScope } from '../scope-options.ts';

interface ResumeFlags extends ControllerFlags, ScopeFlags {
  all?: boolean;
}

/** `perfleet resume`: lifts what `perfleet suppress` has set. */
export const addResume = (program: Command, context: Context): void => {
  const command = program
    .command('resume')
    .description('lift a suppression: that of the whole fleet, or of one organization, server, device or tag');
  const all = new Option('--all', 'lift every suppression').conflicts(['organization', 'server', 'device', 'tag']);
  takesScope(command).addOption(all);
  asksController(command, 'perfleet resume --organization acme').action(async (flags: ResumeFlags) => {
    const which = flags.all ? ({ all: 'true' } as const) : scopeIn(flags);
    const answer = await clientOf(context, flags).resume(which);
    if (flags.json) return printJson(context, answer);
    const { stdout, stderr } = context.io;
    for (const { scope, name } of answer.resumed) {
      stdout.write(`${scopeWords(scopeOf(scope, name ?? ''))} is no longer suppressed.\n`);
    }
    if (answer.resumed.length === 0) stderr.write('nothing was suppressed\n');
  });
};
