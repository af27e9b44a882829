import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { CASES } from '../cases/all.ts';
import { runCase, type Verdict } from '../run-cases.ts';
import { buildWrong } from './build.ts';
import { ENDING_FAULTS } from './ending.ts';
import { MESSAGE_FAULTS } from './messages.ts';
import { STARTING_FAULTS } from './starting.ts';

const FAULTS = [...MESSAGE_FAULTS, ...STARTING_FAULTS, ...ENDING_FAULTS];

/** Longer than all of them take on a machine that is ten times slower. */
const LONG_MS = 3_600_000;

/** They wait, mostly: for what a wrong agent does not do. */
const JOBS = 20;

const folder = mkdtempSync(join(tmpdir(), 'perfleet-wrong-agents-'));
const verdicts: (Verdict[] | Error)[] = [];

beforeAll(async () => {
  const waiting = [...FAULTS.entries()];
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [index, fault] = next;
      const agent = join(folder, `agent-${index}.mjs`);
      const meant = CASES.filter(({ rule, title }) => rule === fault.rule && title.includes(fault.title));
      try {
        await buildWrong(fault, agent);
        verdicts[index] = [];
        for (const one of meant) verdicts[index].push(await runCase(one, `node ${agent}`, `device-${index}`));
      } catch (error) {
        verdicts[index] = error as Error;
      }
    }
  };
  await Promise.all(Array.from({ length: JOBS }, work));
}, LONG_MS);
afterAll(() => rmSync(folder, { recursive: true }));

it.each(FAULTS.map((fault, index) => [fault.what, fault.rule, fault.says, index] as const))(
  'an agent that %s is found by a case of %s',
  (_what, _rule, says, index) => {
    const found = verdicts[index];
    if (!Array.isArray(found)) throw found;
    expect(found).toHaveLength(1);
    expect(`${found[0]?.problem}`).toContain(says);
  },
);
