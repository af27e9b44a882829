import { type Command, Option } from 'commander';
import type { Credentials } from '../../api/device-views.ts';
import type { SshAddress } from '../../config/ssh-address.ts';
import { agentFile, onlyHere, stillNeeded } from '../agent-file.ts';
import type { ApiClient } from '../api-client.ts';
import { asksController, type Context, type ControllerFlags, clientOf, printJson } from '../context.ts';
import { CommandFailure } from '../failure.ts';
import { confirmHostKey, keyInWords } from '../ssh/confirm-host-key.ts';
import type { ExpectedKey } from '../ssh/expected-key.ts';
import { KnownHosts } from '../ssh/known-hosts.ts';
import { addressInWords, typedAddress, typedKey } from '../ssh/ssh-options.ts';
import { painted } from '../terminal-text.ts';
import { typedName } from '../typed-name.ts';

interface AddFlags extends ControllerFlags {
  organization: string;
  tag: string[];
  uplinkGroup?: string;
  ssh?: SshAddress;
  sshCredentials?: string;
  hostKey?: ExpectedKey;
  knownHosts?: string;
  acceptHostKey?: boolean;
}

const collect = (value: string, before: string[]): string[] => [...before, typedName(value)];

const indented = (lines: readonly string[]): string => lines.map((line) => `  ${line}\n`).join('');

const REMEDY =
  "Set broker.listen (of an external broker: broker.url) to an address that they reach, restart the controller, and name that address in the agent's file.";

const instructions = (
  { io }: Context,
  { device, username, password, uci, install }: Credentials,
  ssh: SshAddress | null,
): string => {
  const warning = (text: string) => painted(text, 'yellow', io.stdout, io.env);
  const here = onlyHere(uci);
  return [
    `${device} is registered.\n\n`,
    ssh === null
      ? ''
      : `It is measured over SSH, at ${addressInWords(ssh)}, and needs nothing more. Try it: perfleet run ${device}\n\nFor the day when an agent is installed on it:\n\n`,
    indented([`username  ${username}`, `password  ${password}`]),
    `\n${warning('It is stored only as a hash and is never shown again: keep it now.')}\n\n`,
    'On an OpenWrt router with the package in /tmp: the first line up to 24.10, the second from 25.12 on.\n\n',
    indented([install.opkg, install.apk]),
    '\nThen:\n\n',
    indented(uci),
    ...stillNeeded(uci).map((sentence) => `\n${sentence}\n`),
    '\nOn any other device, with Node.js: put the password into /etc/perfleet/password, and into /etc/perfleet/agent.yaml:\n\n',
    indented(agentFile(device, uci)),
    '\nand start: perfleet agent --config /etc/perfleet/agent.yaml\n',
    here === null ? '' : `\n${warning(`Devices elsewhere cannot reach a broker at ${here}.`)} ${REMEDY}\n`,
  ].join('');
};

/** The SSH settings to register, with the host key that somebody vouches for; what else is wrong with the device is said before that. */
const sshSettings = async (
  { io }: Context,
  client: ApiClient,
  device: { device: string; organization: string; tags: string[]; uplink_group: string | null },
  address: SshAddress,
  flags: AddFlags,
) => {
  const credentials = flags.sshCredentials ?? null;
  const known = flags.knownHosts === undefined ? null : KnownHosts.read(flags.knownHosts);
  const { problems } = await client.checkDevices([{ ...device, ssh: { ...address, credentials } }]);
  if (problems.length > 0) {
    const said = problems.map(({ message }) => `\n  ${message}`).join('');
    throw new CommandFailure(`device ${device.device} can't be added${said}`);
  }
  const { host, port } = address;
  const host_key = await confirmHostKey(io, client, {
    otherwise: `${device.device} was not added`,
    order: { host, port, organization: device.organization, credentials },
    expected: flags.hostKey ?? null,
    known,
    pinned: null,
    accept: flags.acceptHostKey ?? false,
    introduction: (key) =>
      `${device.device}, at ${addressInWords(address)}, shows this host key:\n\n  ${keyInWords(key)}\n\nCompare it with the one that the device itself tells. Once it is pinned, no other is accepted.`,
  });
  return { ...address, credentials, host_key };
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
    )
    .option('--ssh <address>', 'measure it over SSH while it has no agent: user@host or user@host:port', typedAddress)
    .option('--ssh-credentials <name>', "under ssh_credentials; default: the organization's", typedName)
    .addOption(new Option('--host-key <key>', 'the host key it must show, or its fingerprint').argParser(typedKey))
    .option('--known-hosts <file>', "take its host key from OpenSSH's known_hosts")
    .option('--accept-host-key', 'take whatever host key it shows now');
  asksController(add, 'perfleet device add ap-12 --organization acme --tag roof --ssh root@192.0.2.12').action(
    async (device: string, flags: AddFlags) => {
      const { organization, tag, uplinkGroup = null, ssh: address } = flags;
      const further = [flags.sshCredentials, flags.hostKey, flags.knownHosts, flags.acceptHostKey];
      if (address === undefined && further.some((flag) => flag !== undefined))
        add.error('error: --ssh-credentials, --host-key, --known-hosts and --accept-host-key go with --ssh');
      const client = clientOf(context, flags);
      const order = { device, organization, tags: tag, uplink_group: uplinkGroup };
      const ssh = address === undefined ? null : await sshSettings(context, client, order, address, flags);
      const credentials = await client.addDevice({ ...order, ssh });
      if (flags.json) printJson(context, credentials);
      else context.io.stdout.write(instructions(context, credentials, ssh));
    },
  );
};
