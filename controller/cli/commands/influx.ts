import type { Command } from 'commander';
import type { InfluxView } from '../../api/influx-views.ts';
import { asksController, type Context, type ControllerFlags, clientOf, printJson } from '../context.ts';
import { count, NOTHING, utc } from '../figures.ts';
import { harmless } from '../terminal-text.ts';
import { pages, type RangeFlags, takesRange } from '../time-range.ts';

/** So many of the points that were set aside: most have the same cause. */
const MAX_SHOWN = 3;

const report = ({ io }: Context, view: InfluxView): void => {
  const rows: [string, string][] = [
    ['waiting', String(view.waiting)],
    ['set aside', String(view.rejected)],
    ['last success (UTC)', utc(view.last_success)],
    ['last error', view.last_error === null ? NOTHING : harmless(view.last_error)],
  ];
  for (const [name, value] of rows) io.stdout.write(`${name.padEnd(18)}  ${value}\n`);
  const shown = view.rejected_points.slice(0, MAX_SHOWN);
  for (const { point, error } of shown) {
    io.stdout.write(`\n${harmless(point)}\n  ${harmless(error)}\n`);
  }
  const hidden = view.rejected - shown.length;
  if (hidden > 0) io.stdout.write(`\nand ${hidden} more\n`);
};

const addStatus = (parent: Command, context: Context): void => {
  const status = parent.command('status').description('show what waits for InfluxDB, and what it refuses');
  asksController(status, 'perfleet influx status').action(async (flags: ControllerFlags) => {
    const view = await clientOf(context, flags).influx();
    if (flags.json) printJson(context, view);
    else report(context, view);
  });
};

const addRetry = (parent: Command, context: Context): void => {
  const retry = parent.command('retry').description('try the points again that were set aside');
  asksController(retry, 'perfleet influx retry').action(async (flags: ControllerFlags) => {
    const answer = await clientOf(context, flags).retryInflux();
    if (flags.json) printJson(context, answer);
    else context.io.stdout.write(`${count(answer.requeued, 'point')} will be tried again.\n`);
  });
};

const addBackfill = (parent: Command, context: Context): void => {
  const backfill = parent
    .command('backfill')
    .description('send the points of stored runs once more; what InfluxDB has already does not change');
  asksController(takesRange(backfill), 'perfleet influx backfill --since 7d').action(
    async ({ since, until, ...flags }: ControllerFlags & RangeFlags) => {
      const api = clientOf(context, flags);
      const sum = { runs: 0, points: 0 };
      // From here on nothing is added to the range, or it might never end.
      const range = { since, until: until ?? new Date(context.io.clock.wall()).toISOString() };
      for await (const { runs, points } of pages((after) => api.backfill({ ...range, ...(after && { after }) }))) {
        sum.runs += runs;
        sum.points += points;
      }
      if (flags.json) printJson(context, sum);
      else context.io.stdout.write(`${count(sum.points, 'point')} of ${count(sum.runs, 'run')} will be sent.\n`);
    },
  );
};

/** `perfleet influx`: the way to InfluxDB. */
export const addInflux = (program: Command, context: Context): void => {
  const influx = program.command('influx').description('the points on their way to InfluxDB');
  for (const add of [addStatus, addRetry, addBackfill]) add(influx, context);
};
