import type { Command } from 'commander';
import type { ReceiverView } from '../../api/receiver-views.ts';
import { asksController, type Context, type ControllerFlags, clientOf, printJson } from '../context.ts';
import { NOTHING, utc } from '../figures.ts';
import { type Column, table } from '../table.ts';
import { harmless } from '../terminal-text.ts';

const COLUMNS: readonly Column<ReceiverView>[] = [
  { head: 'receiver', cell: ({ receiver }) => receiver },
  { head: 'kind', cell: ({ kind }) => kind },
  { head: 'waiting', align: 'right', cell: ({ waiting }) => String(waiting) },
  { head: 'set aside', align: 'right', cell: ({ set_aside }) => String(set_aside) },
  { head: 'dropped', align: 'right', cell: ({ dropped }) => String(dropped) },
  { head: 'last success (UTC)', cell: ({ last_success }) => utc(last_success) },
  { head: 'error', cell: ({ last_error }) => last_error ?? NOTHING },
];

/** `perfleet alerts receivers`: what waits for whom, and why. */
export const addAlertsReceivers = (parent: Command, context: Context): void => {
  const command = parent.command('receivers').description('show who is told of alerts, and what waits for them');
  asksController(command, 'perfleet alerts receivers').action(async (flags: ControllerFlags) => {
    const { receivers } = await clientOf(context, flags).status();
    if (flags.json) return printJson(context, receivers);
    const { stdout, stderr } = context.io;
    if (receivers.length === 0) stderr.write('no receivers: list them under `receivers` in the configuration\n');
    else stdout.write(table(context, COLUMNS, receivers));
    for (const { receiver, last_refusal } of receivers) {
      if (last_refusal !== null) stderr.write(`${receiver} refused a notice: ${harmless(last_refusal)}\n`);
    }
  });
};
