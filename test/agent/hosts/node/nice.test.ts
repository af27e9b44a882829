import '../../../../agent/hosts/node/builtins.ts';
import { writeFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Exit } from '../../../../agent/core/io.ts';
import { type Guard, runGuarded, startGuard } from '../../../../agent/hosts/node/guarded.ts';
import { beNice } from '../../../../agent/hosts/node/priority.ts';
import { RecordedLog } from '../../../helpers/recorded-log.ts';
import { tempFolder } from '../../../helpers/temp-folder.ts';

it.each([0, 3, 19])('iperf3 is nicer than the agent by %i, at once or under a guard that waits', async (nice) => {
  const state = tempFolder();
  writeFileSync(join(state, 'iperf3'), '#!/bin/sh\ncut -d " " -f 19 /proc/$$/stat\n', { mode: 0o755 });
  const by = { state, nice, env: { PATH: `${state}:${process.env['PATH']}` }, log: new RecordedLog() };
  const client = { argv: [], env: {}, key_file: null };
  const action = { kind: 'spawn' as const, key: 1, until_ms: 60_000, ...client };
  const niceOf = async (waiting: Guard | null) => {
    const exit = await new Promise<Exit>((resolve) => {
      runGuarded(action, { ...by, now_ms: 0, waiting }, resolve);
    });
    return Number(exit.stdout);
  };
  const expected = Math.min(19, getPriority() + nice);
  expect(await niceOf(null)).toBe(expected);
  const waiting = startGuard(action, by, () => {});
  expect(getPriority(waiting?.process.pid ?? 0)).toBe(expected);
  expect(await niceOf(waiting)).toBe(expected);
});

it('a process that cannot be made nicer goes on as it is', () => {
  const log = new RecordedLog();
  beNice(2 ** 30, 5, log);
  expect(log.of('debug')).toMatchObject([{ message: 'iperf3 gets the priority of the agent', fields: { nice: 5 } }]);
});
