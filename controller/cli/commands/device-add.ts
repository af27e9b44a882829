import type { Command } from 'commander';
import type { Credentials } from '../../api/views.ts';
import { agentFile } from '../agent-file.ts';
import { asksController, type Context, type ControllerFlags, clientOf, printJson } from '../context.ts';
import { painted } from '../terminal-text.ts';

interface AddFlags extends ControllerFlags {
  organization: string;
  tag: string[];
  uplinkGroup?: string;
}

const collect = (value: string, before: string[]): string[] => [...before, value];

const indented = (lines: readonly string[]): string => lines.map((line) => `  ${line}\n`).join('');

const instructions = ({ io }: Context, { device, username, password, uci }: Credentials): string => {
  const warning = painted(
    'It is stored only as a hash and is never shown again: keep it now.',
    'yellow',
    io.stdout,
    io.env,
  );
  return [
    `${device} is registered.\n\n`,
    indented([`username  ${username}`, `password  ${password}`]),
    `\n${warning}\n\n`,
    'On an OpenWrt router with the perfleet package, paste:\n\n',
    indented(uci),
    '\nElsewhere, with Node.js: put the password into /etc/perfleet/password, and into /etc/perfleet/agent.yaml:\n\n',
    indented(agentFile(device, uci)),
    '\nand start: perfleet agent --config /etc/perfleet/agent.yaml\n',
  ].join('');
};

export const addDeviceAdd = (parent: Command, context: Context): void => {
  const add = parent
    .command('add')
    .description('register a device and show its credentials, once')
    .argument('<device>', 'a name, or the MAC address in lower case without colons')
    .option('--organization <name>', 'whose device it is; must be in the configuration', 'default')
    .option('--tag <tag>', 'a tag; may be given several times', collect, [])
    .option('--uplink-group <name>', 'the devices that it shares an uplink with; must be in the configuration');
  asksController(add, 'perfleet device add ap-12 --organization acme --tag roof --uplink-group tower-7').action(
    async (device: string, flags: AddFlags) => {
      const { organization, tag, uplinkGroup = null } = flags;
      const order = { device, organization, tags: tag, uplink_group: uplinkGroup };
      const credentials = await clientOf(context, flags).addDevice(order);
      if (flags.json) printJson(context, credentials);
      else context.io.stdout.write(instructions(context, credentials));
    },
  );
};
