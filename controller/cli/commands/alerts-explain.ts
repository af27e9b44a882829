import type { Command } from 'commander';
import { figure } from '../../alerts/words.ts';
import type { ExplainedRuleView } from '../../api/alert-views.ts';
import { asksController, type Context, type ControllerFlags, clientOf, printJson } from '../context.ts';
import { NOTHING, utc } from '../figures.ts';
import { type Column, table } from '../table.ts';
import { harmless, painted } from '../terminal-text.ts';
import { typedName } from '../typed-name.ts';

const columns = (metric: string): readonly Column<ExplainedRuleView['last_values'][number]>[] => [
  { head: 'time (UTC)', cell: ({ time }) => utc(time) },
  { head: 'value', align: 'right', cell: ({ value }) => figure(metric, value) },
  { head: 'server', cell: ({ server }) => server ?? NOTHING },
  { head: 'run', cell: ({ run }) => run },
];

const show = (context: Context, explained: ExplainedRuleView): string => {
  const { rule, rule_in_words, severity, state, since, reason, last_values, metric } = explained;
  const { stdout, env } = context.io;
  const lines = [
    painted(harmless(`${rule} (${severity}): ${rule_in_words}`), 'bold', stdout, env),
    `  ${state}${since === null ? '' : ` since ${utc(since)}`}: ${harmless(reason)}`,
  ];
  const values =
    last_values.length === 0 ? '' : table(context, columns(metric ?? ''), last_values).replace(/^(?=.)/gm, '  ');
  return `${lines.join('\n')}\n${values}`;
};

/** `perfleet alerts explain`: each rule that is about a device, its state and why. */
export const addAlertsExplain = (parent: Command, context: Context): void => {
  const command = parent
    .command('explain')
    .description('show each rule that is about a device, its state and why, and the last values')
    .argument('<device>', 'its id', typedName);
  asksController(command, 'perfleet alerts explain ap-12').action(async (device: string, flags: ControllerFlags) => {
    const rules = await clientOf(context, flags).explainAlerts(device);
    const { stdout, stderr } = context.io;
    if (flags.json) printJson(context, rules);
    else if (rules.length > 0) stdout.write(rules.map((rule) => show(context, rule)).join('\n'));
    else stderr.write(`no rule is about ${device}\n`);
  });
};
