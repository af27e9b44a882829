import { once } from 'node:events';
import type { Command } from 'commander';
import { asksController, type Context, type ControllerFlags, clientOf, printJson } from '../context.ts';
import { pages, type RangeFlags, takesRange } from '../time-range.ts';
import { typedName } from '../typed-name.ts';

interface ExportFlags extends ControllerFlags, RangeFlags {
  device?: string;
}

/** `perfleet export`: what is stored, as InfluxDB's line protocol. */
export const addExport = (program: Command, context: Context): void => {
  const command = program
    .command('export')
    .description("print stored measurements as InfluxDB's line protocol, times in milliseconds");
  takesRange(command).option('--device <device>', 'only those of this device', typedName);
  asksController(command, 'perfleet export --since 7d > week.lp').action(
    async ({ since, until, device, ...flags }: ExportFlags) => {
      const api = clientOf(context, flags);
      const { stdout } = context.io;
      const range = { since, until: until ?? new Date(context.io.clock.wall()).toISOString() };
      const which = device === undefined ? range : { ...range, device };
      for await (const { lines } of pages((after) => api.export({ ...which, ...(after && { after }) }))) {
        if (flags.json) {
          for (const line of lines) printJson(context, { line });
        } else if (!stdout.write(lines.map((line) => `${line}\n`).join(''))) await once(stdout, 'drain');
      }
    },
  );
};
