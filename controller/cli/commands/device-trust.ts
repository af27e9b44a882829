import { type Command, Option } from 'commander';
import { asksController, type Context, type ControllerFlags, clientOf, printJson } from '../context.ts';
import { CommandFailure } from '../failure.ts';
import { confirmHostKey, keyInWords } from '../ssh/confirm-host-key.ts';
import type { ExpectedKey } from '../ssh/expected-key.ts';
import { addressInWords, typedKey } from '../ssh/ssh-options.ts';
import { typedName } from '../typed-name.ts';

interface TrustFlags extends ControllerFlags {
  hostKey?: ExpectedKey;
  acceptHostKey?: boolean;
}

/** `perfleet device trust`: pins the host key that a device shows now. */
export const addDeviceTrust = (parent: Command, context: Context): void => {
  const trust = parent
    .command('trust')
    .description('pin the host key that a device shows over SSH, in place of the one that is pinned')
    .argument('<device>', 'its name', typedName)
    .addOption(new Option('--host-key <key>', 'the host key it must show, or its fingerprint').argParser(typedKey))
    .option('--accept-host-key', 'take whatever host key it shows now');
  asksController(trust, 'perfleet device trust ap-12').action(async (device: string, flags: TrustFlags) => {
    const client = clientOf(context, flags);
    const { ssh, organization } = await client.device(device);
    if (ssh === null) throw new CommandFailure(`device ${device} has no SSH settings: only its agent reaches it`);
    const { host, port, credentials } = ssh;
    const host_key = await confirmHostKey(context.io, client, {
      otherwise: `the host key of ${device} stays as it was`,
      order: { host, port, organization, credentials },
      expected: flags.hostKey ?? null,
      known: null,
      pinned: ssh.host_key,
      accept: flags.acceptHostKey ?? false,
      introduction: (key) =>
        key.host_key === ssh.host_key
          ? `${device}, at ${addressInWords(ssh)}, shows the host key that is pinned:\n\n  ${keyInWords(key)}\n`
          : `${device}, at ${addressInWords(ssh)}, shows another host key:\n\n  pinned  ${keyInWords(ssh)}\n  shown   ${keyInWords(key)}\n`,
    });
    const pinned = await client.trust(device, host_key);
    if (flags.json) printJson(context, pinned);
    else context.io.stdout.write(`${device} is trusted with the host key ${keyInWords(pinned)}.\n`);
  });
};
