import type { Command } from 'commander';
import type { AlertView } from '../../api/alert-views.ts';
import { DEFAULT_LIMIT } from '../../api/list-limit.ts';
import { asksController, type Context, type ControllerFlags, clientOf, printJson } from '../context.ts';
import { NOTHING, utc } from '../figures.ts';
import { limit } from '../limit-option.ts';
import { type Column, table } from '../table.ts';
import { addAlertsExplain } from './alerts-explain.ts';
import { addAlertsReceivers } from './alerts-receivers.ts';
import { addAlertsReplay } from './alerts-replay.ts';
import { addAlertsRetry } from './alerts-retry.ts';
import { addAlertsTest } from './alerts-test.ts';

interface AlertsFlags extends ControllerFlags {
  all?: boolean;
  limit?: string;
}

const COLUMNS: readonly Column<AlertView>[] = [
  { head: 'since (UTC)', cell: ({ since }) => utc(since) },
  { head: 'state', cell: ({ state }) => state },
  { head: 'severity', cell: ({ severity }) => severity ?? NOTHING },
  { head: 'of', cell: ({ subject }) => `${subject.kind} ${subject.name}` },
  { head: 'rule', cell: ({ rule }) => rule },
  { head: 'reason', cell: ({ reason }) => reason },
];

/** `perfleet alerts`: alerts and who is told of them. */
export const addAlerts = (program: Command, context: Context): void => {
  const alerts = program
    .command('alerts')
    .description('show alerts that are pending or firing, and who is told of them')
    .enablePositionalOptions()
    .option('--all', 'also those that were resolved, until they come again')
    .option('--limit <number>', `at most this many (default: ${DEFAULT_LIMIT})`, limit);
  for (const add of [addAlertsExplain, addAlertsReplay, addAlertsReceivers, addAlertsTest, addAlertsRetry])
    add(alerts, context);
  asksController(alerts, 'perfleet alerts --all').action(async (flags: AlertsFlags) => {
    const { all, limit } = flags;
    const { alerts: found, more } = await clientOf(context, flags).alerts({
      ...(all === undefined ? {} : { all: `${all}` }),
      ...(limit === undefined ? {} : { limit }),
    });
    const { stdout, stderr } = context.io;
    if (flags.json) printJson(context, found);
    else if (found.length > 0) stdout.write(table(context, COLUMNS, found));
    else stderr.write(all ? 'no alerts\n' : 'nothing is pending or firing\n');
    if (more) stderr.write(`only the first ${found.length} alerts: there are more, --limit shows up to 10000\n`);
  });
};
