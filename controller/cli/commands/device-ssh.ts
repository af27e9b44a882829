import { type Command, Option } from 'commander';
import type { SshAddress } from '../../config/ssh-address.ts';
import { asksController, type Context, type ControllerFlags, clientOf, printJson } from '../context.ts';
import { confirmHostKey, keyInWords } from '../ssh/confirm-host-key.ts';
import type { ExpectedKey } from '../ssh/expected-key.ts';
import { KnownHosts } from '../ssh/known-hosts.ts';
import { addressInWords, typedAddress, typedKey } from '../ssh/ssh-options.ts';
import { typedName } from '../typed-name.ts';

interface SshFlags extends ControllerFlags {
  sshCredentials?: string;
  hostKey?: ExpectedKey;
  knownHosts?: string;
  acceptHostKey?: boolean;
  none?: boolean;
}

const clear = async (context: Context, device: string, flags: SshFlags): Promise<void> => {
  const cleared = await clientOf(context, flags).clearSsh(device);
  if (flags.json) printJson(context, cleared);
  else context.io.stdout.write(`${device} has no SSH settings any more: only its agent reaches it.\n`);
};

const set = async (context: Context, device: string, address: SshAddress, flags: SshFlags): Promise<void> => {
  const client = clientOf(context, flags);
  const { sshCredentials: credentials = null, hostKey: expected = null, acceptHostKey: accept = false } = flags;
  const known = flags.knownHosts === undefined ? null : KnownHosts.read(flags.knownHosts);
  const { ssh, organization } = await client.device(device);
  const { host, port } = address;
  const host_key = await confirmHostKey(context.io, client, {
    otherwise: `the SSH settings of ${device} stay as they were`,
    order: { host, port, organization, credentials },
    expected,
    known,
    pinned: ssh?.host_key ?? null,
    accept,
    introduction: (key) => `${device}, at ${addressInWords(address)}, shows this host key:\n\n  ${keyInWords(key)}\n`,
  });
  const view = await client.setSsh(device, { ...address, credentials, host_key });
  if (flags.json) printJson(context, view);
  else
    context.io.stdout.write(
      `${device} is measured over SSH at ${addressInWords(view)}, with the host key ${keyInWords(view)}.\n`,
    );
};

/** `perfleet device ssh`: how a registered device is reached over SSH from now on. */
export const addDeviceSsh = (parent: Command, context: Context): void => {
  const ssh = parent
    .command('ssh')
    .description('say how a registered device is reached over SSH from now on')
    .argument('<device>', 'its name', typedName)
    .argument('[address]', 'user@host or user@host:port', typedAddress)
    .option('--ssh-credentials <name>', "under ssh_credentials; default: the organization's", typedName)
    .addOption(new Option('--host-key <key>', 'the host key it must show, or its fingerprint').argParser(typedKey))
    .option('--known-hosts <file>', "take its host key from OpenSSH's known_hosts")
    .option('--accept-host-key', 'take whatever host key it shows now')
    .addOption(
      new Option('--none', 'forget its SSH settings: only its agent reaches it').conflicts([
        'sshCredentials',
        'hostKey',
        'knownHosts',
        'acceptHostKey',
      ]),
    );
  asksController(ssh, 'perfleet device ssh ap-12 root@192.0.2.13').action(
    async (device: string, address: SshAddress | undefined, flags: SshFlags) => {
      if ((address === undefined) !== (flags.none === true)) ssh.error('error: give either an address or --none');
      await (address === undefined ? clear(context, device, flags) : set(context, device, address, flags));
    },
  );
};
