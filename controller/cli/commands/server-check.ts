import { type Command, InvalidArgumentError, Option } from 'commander';
import type { ServerCheck } from '../../api/server-views.ts';
import { IPERF3_PORT } from '../../config/servers-section.ts';
import { serverCheck } from '../../desks/server-check.ts';
import { probeServer } from '../../drivers/probe.ts';
import { asksController, type Context, type ControllerFlags, clientOf, printJson } from '../context.ts';
import { figure, NOTHING } from '../figures.ts';
import { hostAndPort, NO_SERVERS } from '../server-words.ts';
import { type Column, table } from '../table.ts';
import { typedName } from '../typed-name.ts';

interface CheckFlags extends ControllerFlags {
  host?: string;
  port?: number;
}

const COLUMNS: readonly Column<ServerCheck>[] = [
  { head: 'server', cell: ({ server }) => server ?? NOTHING },
  { head: 'address', cell: hostAndPort },
  { head: 'verdict', cell: ({ verdict }) => verdict },
  { head: 'round trip ms', align: 'right', cell: ({ round_trip_ms }) => figure(round_trip_ms) },
  { head: '', cell: ({ message }) => message },
];

/** One that a run of ours uses is as it should be. */
const isWell = ({ verdict }: ServerCheck): boolean => verdict === 'answers' || verdict === 'in-use';

const port = (text: string): number => {
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= 1 && number <= 65535) return number;
  throw new InvalidArgumentError('Expected a port from 1 to 65535.');
};

const names = (name: string, before: string[] = []): string[] => [...before, typedName(name)];

/** Asks the server itself, from this machine. */
const askDirectly = async ({ io }: Context, host: string, port = IPERF3_PORT): Promise<ServerCheck[]> => {
  const report = await probeServer(host, port, io.clock);
  return [serverCheck({ server: null, host, port }, report)];
};

/** Has the controller ask these servers, or all of its own. */
const askController = async (context: Context, flags: CheckFlags, servers: readonly string[]) => {
  const client = clientOf(context, flags);
  const asked = servers.length > 0 ? servers : (await client.servers()).map(({ server }) => server);
  return Promise.all(asked.map((server) => client.checkServer(server)));
};

/** `perfleet server check`: whether iperf3 servers answer. */
export const addServerCheck = (parent: Command, context: Context): void => {
  const check = parent
    .command('check')
    .description('ask iperf3 servers whether they would take a test')
    .argument('[servers...]', 'their names in the configuration; default: all', names)
    .option('--host <host>', 'ask this host instead, from here and without a controller')
    .addOption(new Option('--port <port>', 'its port; default: 5201').argParser(port));
  asksController(check, 'perfleet server check milan-1').action(async (servers: string[], flags: CheckFlags) => {
    const { host } = flags;
    if (host !== undefined && servers.length > 0) check.error('error: name servers or a --host, not both');
    if (host === undefined && flags.port !== undefined) check.error('error: --port goes with --host');
    const checks = await (host === undefined
      ? askController(context, flags, servers)
      : askDirectly(context, host, flags.port));
    if (!checks.every(isWell)) context.exitCode = 1;
    if (flags.json) printJson(context, checks);
    else if (checks.length === 0) context.io.stderr.write(NO_SERVERS);
    else context.io.stdout.write(table(context, COLUMNS, checks));
  });
};
