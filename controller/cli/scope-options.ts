import { type Command, Option } from 'commander';
import type { SuppressionScope } from '../schedule/suppression.ts';
import { typedName } from './typed-name.ts';

const NAMED = ['organization', 'server', 'device', 'tag'] as const;

/** What the options below say. */
export type ScopeFlags = Partial<Record<(typeof NAMED)[number], string>>;

const MEANING: Record<(typeof NAMED)[number], string> = {
  organization: 'the devices of this organization',
  server: 'this server, for everybody',
  device: 'this device',
  tag: 'the devices with this tag',
};

/** Adds an option for each thing that can be suppressed; only one of them may be given. */
export const takesScope = (command: Command): Command => {
  for (const kind of NAMED) {
    const others = NAMED.filter((other) => other !== kind);
    command.addOption(new Option(`--${kind} <${kind}>`, MEANING[kind]).argParser(typedName).conflicts([...others]));
  }
  return command;
};

/** The scope that was given; without any it is the fleet. */
export const scopeIn = (flags: ScopeFlags): SuppressionScope => {
  for (const scope of NAMED) {
    const name = flags[scope];
    if (name !== undefined) return { scope, name };
  }
  return { scope: 'fleet' };
};
