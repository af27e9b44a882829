import type { Command } from 'commander';
import type { Credentials } from '../../api/device-views.ts';
import { agentFile, onlyHere } from '../agent-file.ts';
import { asksController, type Context, type ControllerFlags, clientOf, printJson } from '../context.ts';
import { painted } from '../terminal-text.ts';
import { typedName } from '../typed-name.ts';

interface AddFlags extends ControllerFlags {
  organization: string;
  tag: string[];
  uplinkGroup?: string;
}

const collect = (value: string, before: string[]): string[] => [...before, typedName(value)];

const indented = (lines: readonly string[]): string => lines.map((line) => `  ${line}\n`).join('');

const REMEDY =
  "Set broker.listen (of an external broker: broker.url) to an address that they reach, restart the controller, and name that address in the agent's file.";

const instructions = ({ io }: Context, { device, username, password, uci }: Credentials): string => {
  const warning = (text: string) => painted(text, 'yellow', io.stdout, io.env);
  const here = onlyHere(uci);
  return [
    `${device} is registered.\n\n`,
    indented([`username  ${username}`, `password  ${password}`]),
    `\n${warning('It is stored only as a hash and is never shown again: keep it now.')}\n\n`,
    'On the device, with Node.js: put the password into /etc/perfleet/password, and into /etc/perfleet/agent.yaml:\n\n',
    indented(agentFile(device, uci)),
    '\nand start: perfleet agent --config /etc/perfleet/agent.yaml\n',
    here === null ? '' : `\n${warning(`Devices elsewhere cannot reach a broker at ${here}.`)} ${REMEDY}\n`,
    '\nThe same as UCI lines, for the perfleet package for OpenWrt, which is not released yet:\n\n',
    indented(uci),
  ].join('');
};

export const addDeviceAdd = (parent: Command, context: Context): void => {
  const add = parent
    .command('add')
    .description('register a device and show its credentials, once')
    .argument('<device>', 'a name, or the MAC address in lower case without colons', typedName)
    .option('--organization <name>', 'whose device it is; must be in the configuration', typedName, 'default')
    .option('--tag <tag>', 'a tag; may be given several times', collect, [])
    .option(
      '--uplink-group <name>',
      'the devices that it shares an uplink with; must be in the configuration',
      typedName,
    );
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
