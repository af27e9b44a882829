import type { Command } from 'commander';
import type { DeviceView } from '../../api/device-views.ts';
import { asksController, type Context, type ControllerFlags, clientOf, printJson } from '../context.ts';
import { NOTHING, utc } from '../figures.ts';
import { type Column, table } from '../table.ts';

const COLUMNS: readonly Column<DeviceView>[] = [
  { head: 'device', cell: ({ device }) => device },
  { head: 'organization', cell: ({ organization }) => organization },
  { head: 'via', cell: ({ via }) => via },
  { head: 'online', cell: ({ online }) => (online ? 'yes' : 'no') },
  { head: 'agent', cell: ({ agent }) => agent ?? NOTHING },
  { head: 'iperf3', cell: ({ iperf3 }) => iperf3 ?? NOTHING },
  { head: 'last run (UTC)', cell: ({ last_run }) => utc(last_run) },
];

export const addDeviceList = (parent: Command, context: Context): void => {
  const list = parent.command('list').description('show all devices');
  asksController(list, 'perfleet device list').action(async (flags: ControllerFlags) => {
    const devices = await clientOf(context, flags).devices();
    if (flags.json) return printJson(context, devices);
    if (devices.length === 0) context.io.stderr.write('no devices yet: add one with `perfleet device add`\n');
    else context.io.stdout.write(table(context, COLUMNS, devices));
  });
};
