import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { Guards } from '../../../../agent/hosts/node/guards.ts';
import { findLeftovers } from '../../../../agent/hosts/node/leftovers.ts';
import { systemClock } from '../../../../broker/clock.ts';
import { tempFolder } from '../../../helpers/temp-folder.ts';

it('a guard that is not wanted any more before it was started is never started', async () => {
  const state = tempFolder();
  const log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
  const guards = new Guards({ state, nice: 5, env: process.env, clock: systemClock, log, onExit: () => {} });
  guards.arm({ kind: 'arm', key: 1, argv: ['--version'], env: {}, key_file: null });
  guards.disarm(1);
  await nextTurn();
  await nextTurn();
  expect(findLeftovers(state)).toEqual([]);
});
