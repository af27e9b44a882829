import type { Command } from 'commander';
import { ApiClient } from './api-client.ts';
import { DEFAULT_CONFIG, findController } from './find-controller.ts';
import type { Io } from './io.ts';
import type { Parts } from './parts.ts';

/** What every command gets. One that has said why it failed sets `exitCode`; one that has not throws CommandFailure. */
export interface Context {
  io: Io;
  parts: Parts;
  exitCode: number;
}

/** The options of a command that asks the controller. */
export interface ControllerFlags {
  config: string;
  json?: boolean;
}

/** Adds the options of ControllerFlags, and an example to the help. */
export const asksController = (command: Command, example: string): Command =>
  withExample(
    command
      .option('--config <file>', "the controller's configuration; PERFLEET_URL and PERFLEET_TOKEN win", DEFAULT_CONFIG)
      .option('--json', 'print JSON'),
    example,
  );

/** Adds an example to the help of a command. */
export const withExample = (command: Command, example: string): Command =>
  command.addHelpText('after', `\nExample:\n  ${example}`);

/** A client of the controller that the options and the environment name. */
export const clientOf = ({ io }: Context, { config }: ControllerFlags): ApiClient =>
  new ApiClient(findController(config, io.env), io.clock);

/** One line of JSON, as every `--json` prints it. */
export const printJson = ({ io }: Context, value: unknown): void => {
  io.stdout.write(`${JSON.stringify(value)}\n`);
};
