import { closeSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { type Command, Option } from 'commander';
import type { DevicesAdded } from '../../api/device-views.ts';
import type { ApiClient } from '../api-client.ts';
import { asksController, type Context, type ControllerFlags, clientOf, printJson } from '../context.ts';
import { CommandFailure, messageOf } from '../failure.ts';
import type { LineProblem } from '../import/line-problems.ts';
import { formatLineProblems } from '../import/line-problems.ts';
import { KnownHosts } from '../ssh/known-hosts.ts';
import { harmlessLines, painted } from '../terminal-text.ts';

interface ImportFlags extends ControllerFlags {
  dryRun?: boolean;
  knownHosts?: string;
  acceptHostKeys?: boolean;
  credentials?: string;
}

type Credentials = DevicesAdded['devices'];

const readText = (file: string): string => {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(file));
  } catch (cause) {
    const isBinary = cause instanceof TypeError;
    throw new CommandFailure(
      isBinary ? `${file} is no text in UTF-8` : `cannot read the devices: ${messageOf(cause)}`,
      { cause },
    );
  }
};

const csvOf = (credentials: Credentials): string =>
  ['device,username,password', ...credentials.map(({ device, username, password }) => [device, username, password])]
    .map((row) => `${row}\n`)
    .join('');

/** Adds the devices and writes their credentials into a new file, which is made first: passwords that nobody got would be of no use. */
const addInto = async (file: string, add: () => Promise<Credentials>): Promise<Credentials> => {
  let opened: number;
  try {
    opened = openSync(file, 'wx', 0o600);
  } catch (cause) {
    throw new CommandFailure(`no device was added: cannot make the file for their passwords: ${messageOf(cause)}`, {
      cause,
    });
  }
  try {
    const credentials = await add();
    writeSync(opened, csvOf(credentials));
    return credentials;
  } catch (error) {
    rmSync(file, { force: true });
    throw error;
  } finally {
    closeSync(opened);
  }
};

const sayRefused = (context: Context, file: string, problems: readonly LineProblem[], json: boolean): void => {
  context.exitCode = 1;
  if (json) printJson(context, { added: 0, problems, credentials: [] });
  else context.io.stderr.write(`${harmlessLines(formatLineProblems(problems, file))}\n`);
};

const devicesInWords = (count: number): string => (count === 1 ? '1 device' : `${count} devices`);

/** Adds the devices and shows or keeps their credentials. */
const add = async (
  context: Context,
  client: ApiClient,
  orders: Parameters<ApiClient['addDevices']>[0],
  flags: ImportFlags,
) => {
  const { io } = context;
  const order = async () => (await client.addDevices(orders)).devices;
  const file = flags.credentials;
  const credentials = await (file === undefined ? order() : addInto(file, order));
  const shown = file === undefined ? credentials : [];
  if (flags.json) return printJson(context, { added: credentials.length, problems: [], credentials: shown });
  const are = credentials.length === 1 ? 'is' : 'are';
  const where = file === undefined ? 'Their passwords:' : `Their passwords are in ${file}.`;
  io.stderr.write(`${devicesInWords(credentials.length)} ${are} registered. ${where}\n`);
  if (file === undefined) io.stdout.write(csvOf(shown));
  io.stderr.write(
    `${painted('They are stored only as hashes and are never shown again: keep them now.', 'yellow', io.stderr, io.env)}\n`,
  );
};

/** `perfleet device import`: thousands of devices from one CSV file, all or none. */
export const addDeviceImport = (parent: Command, context: Context): void => {
  const command = parent
    .command('import')
    .description('register the devices in a CSV file, all or none, and print their credentials as CSV, once')
    .argument(
      '<file>',
      'CSV whose first line names the columns: device, organization, tags, uplink_group, ssh, ssh_credentials, host_key',
    )
    .option('--dry-run', 'only say what is wrong')
    .option('--known-hosts <file>', "take host keys from OpenSSH's known_hosts")
    .option('--accept-host-keys', 'take whatever host keys the devices show now, where none is given')
    .addOption(
      new Option('--credentials <file>', 'write the credentials into this new file instead').conflicts('dryRun'),
    );
  asksController(command, 'perfleet device import devices.csv --dry-run').action(
    async (file: string, flags: ImportFlags) => {
      const { io } = context;
      const { checkDevices } = await import('../import/check-devices.ts');
      const client = clientOf(context, flags);
      const { orders, problems } = await checkDevices(client, readText(file), {
        known: flags.knownHosts === undefined ? null : KnownHosts.read(flags.knownHosts),
        accept: flags.acceptHostKeys ?? false,
        onProgress: (done, all) => io.stderr.write(`host keys: ${done} of ${all}\n`),
      });
      const json = flags.json ?? false;
      if (problems.length > 0) return sayRefused(context, file, problems, json);
      if (!flags.dryRun) return add(context, client, orders, flags);
      if (json) return printJson(context, { added: 0, problems: [], credentials: [] });
      const ssh = orders.filter((order) => order.ssh).length;
      io.stdout.write(
        `${file} is fine: ${devicesInWords(orders.length)}, ${ssh} of them over SSH. Nothing was added.\n`,
      );
    },
  );
};
