import { runCli } from '../../controller/cli/run-cli.ts';
import { CapturedIo } from '../controller/cli/captured-io.ts';

/** A command as its own `--help` describes it. */
export interface Help {
  /** `device add`; empty for perfleet itself. */
  command: string;
  /** As printed: `--config <file>`; without those that every command has. */
  options: string[];
  /** Words of the commands below it. */
  commands: string[];
}

/** The first column of one part of a help text. */
const entries = (help: string, title: string): string[] => {
  const [, part = ''] = help.split(`\n${title}:\n`);
  return [...(part.split('\n\n')[0] ?? '').matchAll(/^ {2}(\S.*?)(?: {2,}.*)?$/gm)].map(([, entry = '']) => entry);
};

const EVERYWHERE = ['-h, --help', '-V, --version'];

/** Asks perfleet for its commands, each command for its own, and so on. */
export const allHelp = async (words: string[] = []): Promise<Help[]> => {
  const io = new CapturedIo();
  await runCli([...words, '--help'], io);
  const help = io.stdout.text;
  const options = entries(help, 'Options').filter((option) => !EVERYWHERE.includes(option));
  const commands = entries(help, 'Commands')
    .map((entry) => entry.split(' ')[0] ?? '')
    .filter((command) => command !== 'help');
  const below: Help[] = [];
  for (const command of commands) below.push(...(await allHelp([...words, command])));
  return [{ command: words.join(' '), options, commands }, ...below];
};

/** `--config <file>` → `--config`. */
export const flagOf = (option: string): string => /--[a-z-]+/.exec(option)?.[0] ?? option;
