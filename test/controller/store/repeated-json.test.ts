import { expect, it } from 'vitest';
import { z } from 'zod';
import { repeatedJson } from '../../../controller/store/columns.ts';

const column = repeatedJson(z.object({ n: z.number(), list: z.array(z.number()).optional() }));

it('a text that stands in many rows is read once, and nobody can change what comes of it', () => {
  const value = column.parse('{"n": 1, "list": [2]}');
  expect(column.parse('{"n": 1, "list": [2]}')).toBe(value);
  expect([Object.isFrozen(value), Object.isFrozen(value.list)]).toEqual([true, true]);
});

it('a text that is not of its schema is refused, with the place', () => {
  expect(column.safeParse('{"n": "x"}').error?.issues).toMatchObject([{ path: ['n'] }]);
  expect(column.safeParse('{').error?.issues[0]?.message).toContain('not JSON');
});

it('of many texts the early ones are forgotten', () => {
  const first = column.parse('{"n": 0}');
  for (let n = 1; n <= 256; n += 1) column.parse(`{"n": ${n}}`);
  const again = column.parse('{"n": 0}');
  expect(again).toEqual(first);
  expect(again).not.toBe(first);
});
