import type { Command } from 'commander';
import { loadSettings } from '../../config/load-settings.ts';
import { formatProblems } from '../../config/problem.ts';
import type { Settings } from '../../config/settings.ts';
import { isScheduled } from '../../schedule/check-of.ts';
import { type Context, printJson, withExample } from '../context.ts';
import { count } from '../figures.ts';

const summary = ({ servers, organizations }: Settings): string => {
  const checked = [...organizations.values()].filter(isScheduled).map((one) => one.organization);
  const checks =
    checked.length === 0 ? 'nobody is measured by schedule' : `measured by schedule: ${checked.join(', ')}`;
  return `${count(servers.size, 'server')}, ${count(organizations.size, 'organization')}; ${checks}`;
};

/** `perfleet check-config`: whether a controller would take a file, and everything that is wrong with it if not. */
export const addCheckConfig = (program: Command, context: Context): void => {
  const command = program
    .command('check-config')
    .description("check the controller's configuration, without starting anything")
    .argument('<file>')
    .option('--json', 'print JSON: ok, problems, warnings');
  withExample(command, 'perfleet check-config /etc/perfleet/perfleet.yaml').action(
    (file: string, { json }: { json?: boolean }) => {
      const { stdout, stderr, env } = context.io;
      const loaded = loadSettings(file, env);
      if (!loaded.ok) context.exitCode = 1;
      if (json) {
        const problems = loaded.ok ? [] : loaded.problems;
        printJson(context, { ok: loaded.ok, problems, warnings: loaded.ok ? loaded.warnings : [] });
      } else if (loaded.ok) {
        for (const warning of loaded.warnings) stderr.write(`warning: ${warning}\n`);
        stdout.write(`${file} is fine: ${summary(loaded.settings)}\n`);
      } else stderr.write(`${formatProblems(loaded.problems, file)}\n`);
    },
  );
};
