import type { Command } from 'commander';
import type { AlertView } from '../../api/alert-views.ts';
import { asksController, type Context, type ControllerFlags, clientOf, printJson } from '../context.ts';
import { NOTHING, utc } from '../figures.ts';
import { type Column, table } from '../table.ts';
import { addAlertsExplain } from './alerts-explain.ts';
import { addAlertsReceivers } from './alerts-receivers.ts';
import { addAlertsReplay } from './alerts-replay.ts';
import { addAlertsRetry } from './alerts-retry.ts';
import { addAlertsTest } from './alerts-test.ts';

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
    .option('--all', 'also those that were resolved, until they come again');
  for (const add of [addAlertsExplain, addAlertsReplay, addAlertsReceivers, addAlertsTest, addAlertsRetry])
    add(alerts, context);
  asksController(alerts, 'perfleet alerts --all').action(async (flags: ControllerFlags & { all?: boolean }) => {
    const all = flags.all === true;
    const found = await clientOf(context, flags).alerts({ all });
    const { stdout, stderr } = context.io;
    if (flags.json) printJson(context, found);
    else if (found.length > 0) stdout.write(table(context, COLUMNS, found));
    else stderr.write(all ? 'no alerts\n' : 'nothing is pending or firing\n');
  });
};
