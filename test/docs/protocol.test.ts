import { describe, expect, it } from 'vitest';
import type { z } from 'zod';
import {
  AgentEvent,
  AgentStatus,
  Command,
  ControllerStatus,
  RunResult,
  SlotStatus,
} from '../../broker/contract/messages.ts';
import * as numbers from '../../broker/contract/numbers.ts';
import { codeIn, page } from './markdown.ts';

const PROTOCOL = page('docs/protocol.md');

/** The schema of the example under each heading of section 2; commands and events are told apart by the heading. */
const SCHEMAS: Record<string, z.ZodType> = {
  status: AgentStatus,
  result: RunResult,
  slot: SlotStatus,
  'controller status': ControllerStatus,
};
const COMMANDS = ['prepare', 'start', 'cancel', 'accepted'];
const EVENTS = ['ready', 'declined', 'started', 'finished'];

const schemaOf = (heading: string): z.ZodType | undefined => {
  if (COMMANDS.includes(heading)) return Command;
  return EVENTS.includes(heading) ? AgentEvent : SCHEMAS[heading];
};

const examples = PROTOCOL.blocks.filter(({ language }) => language === 'json');

describe('the examples of docs/protocol.md', () => {
  it('are one for each message', () => {
    const headings = examples.map(({ heading }) => heading);
    expect(headings.sort()).toEqual([...Object.keys(SCHEMAS), ...COMMANDS, ...EVENTS].sort());
  });

  it.each(examples.map((example) => [example.heading, example.text]))(
    '%s is of the contract, whole',
    (heading, text) => {
      const example: unknown = JSON.parse(text);
      // Nothing was dropped as unknown, and nothing is left to a default.
      expect(schemaOf(heading)?.parse(example)).toEqual(example);
      if (COMMANDS.includes(heading) || EVENTS.includes(heading)) expect(example).toMatchObject({ type: heading });
    },
  );
});

const UNITS: Record<string, number> = {
  ms: 1,
  s: 1000,
  min: 60_000,
  h: 3_600_000,
  KiB: 1024,
  MiB: 1024 ** 2,
  '%': 0.01,
};

/** "2.5 s" → 2500, "64 KiB" → 65536, "80%" → 0.8; several after commas → a list. */
const amountOf = (text: string): number | number[] => {
  const values = text.split(', ').map((one) => {
    const [, digits = '', unit = ''] = /^([\d.]+) ?(\S+)$/.exec(one) ?? [];
    return Number(digits) * (UNITS[unit] ?? Number.NaN);
  });
  const [first = Number.NaN] = values;
  return values.length === 1 ? first : values;
};

/** A constant in the unit that its name ends with, as the table names and counts it. */
const inTable = (name: string, value: unknown): [string, unknown] => {
  if (name.endsWith('_S')) return [name.slice(0, -2), Number(value) * 1000];
  return [name.replace(/_(MS|BYTES)$/, ''), value];
};

it('the table of docs/protocol.md has every number of numbers.ts, and no other', () => {
  const constants = Object.entries(numbers).filter(([, value]) => typeof value !== 'function');
  const documented = PROTOCOL.rows.flatMap(([name = '', value = '']) => {
    const [constant] = codeIn(name);
    return constant !== undefined && /^[A-Z_]+$/.test(constant) ? [[constant, amountOf(value)] as const] : [];
  });
  expect(Object.fromEntries(documented)).toEqual(Object.fromEntries(constants.map(([n, v]) => inTable(n, v))));
});

it('docs/protocol.md uses no constant that its table does not have', () => {
  const table = PROTOCOL.rows.flatMap(([name = '']) => codeIn(name));
  const used = codeIn(PROTOCOL.prose).filter((word) => /^[A-Z]+_[A-Z_]+$/.test(word));
  expect(used.filter((word) => !table.includes(word))).toEqual([]);
});
