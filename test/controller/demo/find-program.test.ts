import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { findProgram } from '../../../controller/demo/find-program.ts';
import { installWitness } from '../../../controller/demo/witness.ts';
import { temporaryFolder } from '../../helpers/controller-fixture.ts';

it('a program is the first executable file of its name on the PATH, not a folder and not a text', () => {
  const [folder, text, right] = [temporaryFolder(), temporaryFolder(), temporaryFolder()];
  mkdirSync(join(folder, 'iperf3'));
  writeFileSync(join(text, 'iperf3'), '', { mode: 0o644 });
  writeFileSync(join(right, 'iperf3'), '', { mode: 0o755 });
  expect(findProgram('iperf3', { PATH: `${folder}:${text}:${right}` })).toBe(join(right, 'iperf3'));
});

it('without a PATH no program is found, and the witness is the only one on it', () => {
  expect(findProgram('iperf3', {})).toBeNull();
  const folder = temporaryFolder();
  expect(installWitness(folder, '/usr/bin/iperf3', {})['PATH']).toBe(`${join(folder, 'bin')}:`);
});
