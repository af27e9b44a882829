import { type Command, InvalidArgumentError, Option } from 'commander';
import { z } from 'zod';
import type { Suppressed, SuppressionView } from '../../api/suppression-views.ts';
import { parseDuration } from '../../config/units.ts';
import { scopeOf, scopeWords } from '../../schedule/suppression.ts';
import { asksController, type Context, type ControllerFlags, clientOf, printJson } from '../context.ts';
import { count, NOTHING, utc } from '../figures.ts';
import { type ScopeFlags, scopeIn, takesScope } from '../scope-options.ts';
import { type Column, table } from '../table.ts';
import { harmless, painted } from '../terminal-text.ts';

interface SuppressFlags extends ControllerFlags, ScopeFlags {
  until?: string;
  for?: string;
  reason?: string;
  stopRunning?: boolean;
  list?: boolean;
}

const until = (text: string): string => {
  if (z.iso.datetime({ offset: true }).safeParse(text).success) return text;
  throw new InvalidArgumentError('Expected a time such as 2026-11-22T06:00:00Z.');
};

const length = (text: string): string => {
  if ((parseDuration(text) ?? 0) > 0) return text;
  throw new InvalidArgumentError('Expected a length such as 2h or 30m.');
};

const COLUMNS: readonly Column<SuppressionView>[] = [
  { head: 'suppressed', cell: ({ scope, name }) => scopeWords(scopeOf(scope, name ?? '')) },
  { head: 'since (UTC)', cell: ({ since }) => utc(since) },
  { head: 'until (UTC)', cell: ({ until }) => utc(until) },
  { head: 'reason', cell: ({ reason }) => (reason === null ? NOTHING : harmless(reason)) },
];

const report = ({ io }: Context, { suppression, stopped, warnings }: Suppressed, stopRunning: boolean): void => {
  const { scope, name, until } = suppression;
  const end = until === null ? 'until it is resumed' : `until ${utc(until)} UTC`;
  io.stdout.write(`${scopeWords(scopeOf(scope, name ?? ''))} is suppressed ${end}: no new run starts.\n`);
  io.stdout.write(
    stopRunning
      ? `${count(stopped, 'running run')} stopped.\n`
      : 'What runs already goes on to its end; --stop-running stops it at once.\n',
  );
  for (const warning of warnings) io.stderr.write(`${painted('warning', 'yellow', io.stderr, io.env)}: ${warning}\n`);
};

/** What makes no sense beside `--list`. */
const CHANGES = ['organization', 'server', 'device', 'tag', 'until', 'for', 'reason', 'stopRunning'];

/** `perfleet suppress`: the kill switch. */
export const addSuppress = (program: Command, context: Context): void => {
  const command = program
    .command('suppress')
    .description('start no new runs: in the whole fleet, or of one organization, server, device or tag');
  takesScope(command)
    .addOption(new Option('--until <time>', 'when it ends by itself: 2026-11-22T06:00:00Z').argParser(until))
    .addOption(new Option('--for <length>', 'how long, instead: 2h').argParser(length).conflicts('until'))
    .option('--reason <text>', 'why, for others to read')
    .option('--stop-running', 'stop the runs that are measuring now, too')
    .addOption(new Option('--list', 'show what is suppressed, and change nothing').conflicts(CHANGES));
  asksController(command, 'perfleet suppress --organization acme --for 2h --reason "radio work"').action(
    async (flags: SuppressFlags) => {
      const api = clientOf(context, flags);
      if (flags.list) {
        const suppressions = await api.suppressions();
        if (flags.json) return printJson(context, suppressions);
        if (suppressions.length === 0) context.io.stderr.write('nothing is suppressed\n');
        else context.io.stdout.write(table(context, COLUMNS, suppressions));
        return;
      }
      const { until, for: length, reason, stopRunning = false } = flags;
      const given = Object.entries({ until, for: length, reason }).filter(([, value]) => value !== undefined);
      const order = { ...scopeIn(flags), ...Object.fromEntries(given), stop_running: stopRunning };
      const suppressed = await api.suppress(order);
      if (flags.json) printJson(context, suppressed);
      else report(context, suppressed, stopRunning);
    },
  );
};
