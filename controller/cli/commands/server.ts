import type { Command } from 'commander';
import type { ServerView } from '../../api/views.ts';
import { asksController, type Context, type ControllerFlags, clientOf, printJson } from '../context.ts';
import { NOTHING } from '../figures.ts';
import { type Column, table } from '../table.ts';

const COLUMNS: readonly Column<ServerView>[] = [
  { head: 'server', cell: ({ server }) => server },
  { head: 'address', cell: ({ host, port }) => `${host.includes(':') ? `[${host}]` : host}:${port}` },
  { head: 'host group', cell: ({ host_group }) => host_group ?? NOTHING },
  { head: 'state', cell: ({ state }) => state },
  { head: 'device', cell: ({ device }) => device ?? NOTHING },
  { head: 'run', cell: ({ run }) => run ?? NOTHING },
  { head: 'queued', align: 'right', cell: ({ queued }) => String(queued) },
];

/** `perfleet server list`: the iperf3 servers and who uses them. */
export const addServer = (program: Command, context: Context): void => {
  const server = program.command('server').description('the iperf3 servers');
  const list = server.command('list').description('show the servers, and who uses them now');
  asksController(list, 'perfleet server list').action(async (flags: ControllerFlags) => {
    const servers = await clientOf(context, flags).servers();
    if (flags.json) return printJson(context, servers);
    if (servers.length === 0) context.io.stderr.write('no servers: list them under `servers` in the configuration\n');
    else context.io.stdout.write(table(context, COLUMNS, servers));
  });
};
