import { expect, it } from 'vitest';
import { Afterwards } from '../../../controller/runs/afterwards.ts';
import { until } from '../../helpers/until.ts';

const make = () => {
  const errors: unknown[] = [];
  return { afterwards: new Afterwards((error) => errors.push(error)), errors };
};

it('does its work later, in order, also what is added by the work itself', async () => {
  const { afterwards } = make();
  const done: number[] = [];
  afterwards.add(() => {
    done.push(1);
    afterwards.add(() => done.push(3));
  });
  afterwards.add(() => done.push(2));
  expect(done).toEqual([]);
  expect(afterwards.isEmpty).toBe(false);
  await until('all is done', () => afterwards.isEmpty);
  expect(done).toEqual([1, 2, 3]);
});

it('does what is left at once when it is told to, and nothing twice', async () => {
  const { afterwards } = make();
  const done: number[] = [];
  afterwards.add(() => done.push(1));
  afterwards.add(() => done.push(2));
  afterwards.flush();
  expect(done).toEqual([1, 2]);
  for (let turn = 0; turn < 30; turn += 1) await new Promise(setImmediate);
  expect(done).toEqual([1, 2]);
});

it('goes on after work that throws, and says so', async () => {
  const { afterwards, errors } = make();
  const done: number[] = [];
  afterwards.add(() => {
    throw new Error('a defect');
  });
  afterwards.add(() => done.push(2));
  await until('all is done', () => done.length === 1);
  expect(errors).toMatchObject([{ message: 'a defect' }]);
});
