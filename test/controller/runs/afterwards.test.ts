import { expect, it } from 'vitest';
import { Afterwards } from '../../../controller/runs/afterwards.ts';
import { ManualClock } from '../../helpers/manual-clock.ts';
import { until } from '../../helpers/until.ts';

const make = () => {
  const errors: unknown[] = [];
  const clock = new ManualClock();
  return { afterwards: new Afterwards(clock, (error) => errors.push(error)), errors, clock };
};

/** More turns of the event loop than work waits for. */
const turns = async () => {
  for (let turn = 0; turn < 30; turn += 1) await new Promise(setImmediate);
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
  await turns();
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

it('lets work rest, and what is added after it', async () => {
  const { afterwards, clock } = make();
  const done: number[] = [];
  afterwards.add(() => done.push(1), 100);
  afterwards.add(() => done.push(2));
  clock.advance(99);
  await turns();
  expect(done).toEqual([]);
  clock.advance(1);
  await turns();
  expect(done).toEqual([1, 2]);
});

it('lets nothing rest any longer when somebody waits', async () => {
  const { afterwards, clock } = make();
  const done: number[] = [];
  afterwards.add(() => done.push(1), 100);
  afterwards.add(() => done.push(2), 100);
  afterwards.hurry();
  await turns();
  expect(done).toEqual([1, 2]);
  afterwards.add(() => done.push(3), 100);
  clock.advance(99);
  await turns();
  expect(done).toEqual([1, 2]);
  clock.advance(1);
  await turns();
  expect(done).toEqual([1, 2, 3]);
});

it('has no rest of its own left after a flush', async () => {
  const { afterwards, clock } = make();
  const done: number[] = [];
  afterwards.add(() => done.push(1), 100);
  afterwards.flush();
  afterwards.add(() => done.push(2));
  await turns();
  expect(done).toEqual([1, 2]);
  clock.advance(100);
  expect(done).toEqual([1, 2]);
});

it('gives things that stand one behind the other together, and has the rest done after another turn', async () => {
  const { afterwards } = make();
  const done: unknown[] = [];
  const add = afterwards.several((things: readonly number[]) => {
    done.push([...things]);
    return Math.min(2, things.length);
  });
  for (const thing of [1, 2, 3]) add(thing);
  afterwards.add(() => done.push('other work'));
  add(4);
  await until('all is done', () => afterwards.isEmpty);
  expect(done).toEqual([[1, 2, 3], [3], 'other work', [4]]);
  add(5);
  afterwards.flush();
  expect(done.at(-1)).toEqual([5]);
});
