import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import type { Command } from 'commander';
import type { Reading } from '../../results/measurement.ts';
import { readTest } from '../../results/read-test.ts';
import { type Context, printJson, withExample } from '../context.ts';
import { CommandFailure, messageOf } from '../failure.ts';
import { measurementsTable } from '../measurements-table.ts';
import { harmless } from '../terminal-text.ts';

interface ParseFlags {
  json?: boolean;
  stderr?: string;
}

const STDIN = '-';

type Text = { ok: true; text: string } | { ok: false; message: string };

/** The text of a file, or of stdin for `-`. Bytes that are not UTF-8 become U+FFFD, as they do on their way from an agent. */
const textOf = async (file: string, { io }: Context): Promise<Text> => {
  try {
    return { ok: true, text: (file === STDIN ? await buffer(io.stdin) : await readFile(file)).toString('utf8') };
  } catch (error) {
    return { ok: false, message: `cannot read ${file}: ${messageOf(error)}` };
  }
};

const readingJson = (reading: Reading) => {
  const { version, measurements, warnings } = reading;
  if (!reading.ok) {
    const { class: why, message, retryable } = reading.failure;
    const half = measurements.length === 0 ? {} : { measurements };
    return { ok: false, failure: { class: why, message, retryable }, ...half };
  }
  return { ok: true, version, measurements, warnings };
};

const showText = (context: Context, file: string, reading: Reading): void => {
  const { stdout } = context.io;
  const name = file === STDIN ? 'stdin' : file;
  const version = reading.version === null ? 'unknown version' : `iperf3 ${reading.version}`;
  const hasNone = reading.measurements.length === 0;
  stdout.write(`${name}: ${version}${hasNone ? ', no measurement' : ''}\n`);
  if (!hasNone) stdout.write(measurementsTable(context, reading.measurements));
  if (!reading.ok) {
    const { class: why, message, retryable } = reading.failure;
    stdout.write(`failed, ${why}: ${harmless(message)} (${retryable ? 'is tried again' : 'is not tried again'})\n`);
  }
  for (const warning of reading.warnings) stdout.write(`warning: ${harmless(warning)}\n`);
};

/** A file that can't be read has its line too, so that lines and files go together; it is no failure of a test. */
const showUnreadable = (context: Context, message: string, json: boolean | undefined): void => {
  context.io.stderr.write(`perfleet: ${message}\n`);
  if (json) printJson(context, { ok: false, error: message });
};

/** `perfleet parse`: what iperf3's output would be stored as. */
export const addParse = (program: Command, context: Context): void => {
  const command = program
    .command('parse')
    .description("show what iperf3's output would be stored as")
    .argument('<file...>', 'what `iperf3 --json` printed; - is stdin')
    .option('--stderr <file>', 'what it printed on stderr; goes with one file')
    .option('--json', 'print JSON, one line a file');
  withExample(command, 'iperf3 --json -c 127.0.0.1 | perfleet parse -').action(
    async (files: string[], flags: ParseFlags) => {
      if (flags.stderr !== undefined && files.length > 1) command.error('error: --stderr goes with one file');
      const stderr: Text = flags.stderr === undefined ? { ok: true, text: '' } : await textOf(flags.stderr, context);
      if (!stderr.ok) throw new CommandFailure(stderr.message);
      for (const file of files) {
        const stdout = await textOf(file, context);
        if (!stdout.ok) {
          context.exitCode = 1;
          showUnreadable(context, stdout.message, flags.json);
          continue;
        }
        const reading = readTest({ stdout: stdout.text, stderr: stderr.text, exit_code: null }, null);
        if (!reading.ok) context.exitCode = 1;
        if (flags.json) printJson(context, readingJson(reading));
        else showText(context, file, reading);
      }
    },
  );
};
