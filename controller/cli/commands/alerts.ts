import type { Command } from 'commander';
import type { Context } from '../context.ts';
import { addAlertsReceivers } from './alerts-receivers.ts';
import { addAlertsTest } from './alerts-test.ts';

/** `perfleet alerts`: alerts and who is told of them. */
export const addAlerts = (program: Command, context: Context): void => {
  const alerts = program.command('alerts').description('alerts, and who is told of them');
  for (const add of [addAlertsReceivers, addAlertsTest]) add(alerts, context);
};
