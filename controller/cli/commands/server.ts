import type { Command } from 'commander';
import type { ServerView } from '../../api/server-views.ts';
import { asksController, type Context, type ControllerFlags, clientOf, printJson } from '../context.ts';
import { NOTHING } from '../figures.ts';
import { hostAndPort, NO_SERVERS } from '../server-words.ts';
import { type Column, table } from '../table.ts';
import { addServerCheck } from './server-check.ts';

const COLUMNS: readonly Column<ServerView>[] = [
  { head: 'server', cell: ({ server }) => server },
  { head: 'address', cell: hostAndPort },
  { head: 'host group', cell: ({ host_group }) => host_group ?? NOTHING },
  { head: 'state', cell: ({ state }) => state },
  { head: 'device', cell: ({ device }) => device ?? NOTHING },
  { head: 'run', cell: ({ run }) => run ?? NOTHING },
  { head: 'queued', align: 'right', cell: ({ queued }) => String(queued) },
];

/** `perfleet server`: the iperf3 servers, who uses them, and whether they answer. */
export const addServer = (program: Command, context: Context): void => {
  const server = program.command('server').description('the iperf3 servers');
  const list = server.command('list').description('show the servers, and who uses them now');
  asksController(list, 'perfleet server list').action(async (flags: ControllerFlags) => {
    const servers = await clientOf(context, flags).servers();
    if (flags.json) return printJson(context, servers);
    if (servers.length === 0) context.io.stderr.write(NO_SERVERS);
    else context.io.stdout.write(table(context, COLUMNS, servers));
  });
  addServerCheck(server, context);
};
