import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import type { ReplayView } from '../../api/alert-views.ts';
import { asksController, type Context, type ControllerFlags, clientOf, printJson } from '../context.ts';
import { CommandFailure, messageOf } from '../failure.ts';
import { count, NOTHING, utc } from '../figures.ts';
import { since } from '../since-option.ts';
import { type Column, table } from '../table.ts';
import { harmless } from '../terminal-text.ts';

interface ReplayFlags extends ControllerFlags {
  rule: string;
  since: string;
}

const COLUMNS: readonly Column<ReplayView['alerts'][number]>[] = [
  { head: 'firing (UTC)', cell: ({ firing }) => utc(firing) },
  { head: 'resolved (UTC)', cell: ({ resolved }) => utc(resolved) },
  { head: 'of', cell: ({ subject }) => `${subject.kind} ${subject.name}` },
  { head: 'run', cell: ({ run }) => run ?? NOTHING },
  { head: 'reason', cell: ({ reason }) => reason },
];

const textOf = (file: string): string => {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new CommandFailure(`the rule can't be read: ${messageOf(error)}`);
  }
};

/** `perfleet alerts replay`: when a rule would have fired on what is stored. */
export const addAlertsReplay = (parent: Command, context: Context): void => {
  const command = parent
    .command('replay')
    .description('show when a rule would have fired on what is stored; nobody is told')
    .requiredOption('--rule <file>', 'one rule in YAML or JSON, as under alerts in the configuration')
    .requiredOption('--since <time>', 'from then on: 2026-11-22T02:00:00Z, or how far back: 30d', since);
  asksController(command, 'perfleet alerts replay --rule slow.yaml --since 30d').action(async (flags: ReplayFlags) => {
    const replay = await clientOf(context, flags).replayAlerts({ rule: textOf(flags.rule), since: flags.since });
    if (flags.json) return printJson(context, replay);
    const { alerts, rule, rule_in_words, since: from } = replay;
    const { stdout, stderr } = context.io;
    if (alerts.length > 0) stdout.write(table(context, COLUMNS, alerts));
    const subjects = count(new Set(alerts.map(({ subject }) => `${subject.kind} ${subject.name}`)).size, 'subject');
    const found = alerts.length === 0 ? 'no alert' : `${count(alerts.length, 'alert')} of ${subjects}`;
    stderr.write(`${found} since ${utc(from)}: ${rule}, ${harmless(rule_in_words)}\n`);
  });
};
