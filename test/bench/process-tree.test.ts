import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { tempFolder } from '../helpers/temp-folder.ts';
import { until } from '../helpers/until.ts';
import { ProcessTree } from './process-tree.ts';

/** A child counts and ends; then there are two that wait. */
const SCRIPT = `(i=0; while [ $i -lt 300000 ]; do i=$((i + 1)); done)
sleep 60 &
trap 'kill $!' TERM
true >"$1"
wait`;

it('a program is measured with all that it has started, also with what has ended', async () => {
  const done = join(tempFolder(), 'done');
  const tree = new ProcessTree(['sh', '-c', SCRIPT, 'sh', done], process.env);
  onTestFinished(() => tree.stop());
  await until('the child has counted', () => existsSync(done));
  expect(tree.cpuMs()).toBeGreaterThan(10);
  await until('both wait', () => tree.processes === 2);
  expect(tree.pssMib()).toBeGreaterThan(0);
  expect(tree.pssMib()).toBeLessThan(20);
  expect(() => tree.check()).not.toThrow();
});

it('a program that has ended is told with what it has said', async () => {
  const tree = new ProcessTree(['sh', '-c', 'echo oh no >&2'], process.env);
  const complaint = () => {
    try {
      tree.check();
      return '';
    } catch (error) {
      return String(error);
    }
  };
  await until('it has ended, and all is heard', () => complaint().includes('ended:\noh no'));
});
