import type { Command } from 'commander';
import type { DeviceDetails } from '../../api/device-views.ts';
import { asksController, type Context, type ControllerFlags, clientOf, printJson } from '../context.ts';
import { bytes, NOTHING, utc } from '../figures.ts';
import { keyInWords } from '../ssh/confirm-host-key.ts';
import { addressInWords } from '../ssh/ssh-options.ts';
import { harmless } from '../terminal-text.ts';
import { typedName } from '../typed-name.ts';

const sshRows = ({ ssh }: DeviceDetails): [name: string, value: string][] =>
  ssh === null
    ? []
    : [
        ['ssh', addressInWords(ssh)],
        ['credentials', ssh.credentials ?? 'those of its organization'],
        ['host key', keyInWords(ssh)],
      ];

const rowsOf = (view: DeviceDetails): [name: string, value: string][] => [
  ['device', view.device],
  ['organization', view.organization],
  ['tags', view.tags.join(', ') || NOTHING],
  ['uplink group', view.uplink_group ?? NOTHING],
  ['via', view.via],
  ['online', view.online ? 'yes' : 'no'],
  ['agent', view.agent ?? NOTHING],
  ['iperf3', view.iperf3 ?? NOTHING],
  ...sshRows(view),
  ['last run', view.last_run === null ? NOTHING : `${utc(view.last_run)} UTC`],
  [
    'moved',
    `${bytes(view.moved_this_month)} this month${view.monthly_budget === null ? '' : ` of ${bytes(view.monthly_budget)}`}`,
  ],
];

export const addDeviceShow = (parent: Command, context: Context): void => {
  const show = parent.command('show').description('show one device').argument('<device>', 'its name', typedName);
  asksController(show, 'perfleet device show ap-12').action(async (device: string, flags: ControllerFlags) => {
    const view = await clientOf(context, flags).device(device);
    if (flags.json) return printJson(context, view);
    for (const [name, value] of rowsOf(view)) context.io.stdout.write(`${name.padEnd(14)}${harmless(value)}\n`);
  });
};
