import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { Database } from '../../../controller/store/database.ts';
import { Outbox } from '../../../controller/store/outbox.ts';
import { migrate } from '../../../controller/store/schema.ts';
import { tempFolder } from '../../helpers/temp-folder.ts';
import { point, T0 } from './samples.ts';

const outboxWith = (count: number, max_rejected?: number) => {
  const database = Database.open(join(tempFolder(), 'a.db'));
  onTestFinished(() => database.close());
  migrate(database);
  const outbox = new Outbox(database, max_rejected);
  outbox.add(Array.from({ length: count }, (_, index) => point(T0 + index)));
  return { database, outbox };
};

test('points wait in the order in which they were added, until they are done', () => {
  const { outbox } = outboxWith(5);
  const page = outbox.page(3);
  expect(page.map((row) => row.point)).toEqual([point(T0), point(T0 + 1), point(T0 + 2)]);
  expect(outbox.counts()).toEqual({ waiting: 5, rejected: 0 });
  outbox.done(page.at(-1)?.id ?? 0);
  expect(outbox.page(3).map((row) => row.point)).toEqual([point(T0 + 3), point(T0 + 4)]);
  expect(outbox.counts()).toEqual({ waiting: 2, rejected: 0 });
});

test('a rejected point is set aside with the reason', () => {
  const { outbox } = outboxWith(2);
  const [first] = outbox.page(1);
  outbox.reject([first?.id ?? 0], 'field type conflict');
  expect(outbox.counts()).toEqual({ waiting: 1, rejected: 1 });
  expect(outbox.rejected(9)).toEqual([{ id: 1, point: JSON.stringify(point(T0)), error: 'field type conflict' }]);
});

test('only the newest rejected points are kept', () => {
  const { outbox } = outboxWith(5, 2);
  for (const { id } of outbox.page(4)) outbox.reject([id], 'no');
  expect(outbox.counts()).toEqual({ waiting: 1, rejected: 2 });
  expect(outbox.rejected(9).map((row) => row.id)).toEqual([4, 3]);
});

test('a point that this version cannot read is set aside, and those behind it are not held up', () => {
  const { database, outbox } = outboxWith(1);
  database.run('UPDATE outbox SET point = ?', ['{"measurement": "of-the-future"}']);
  database.run('INSERT INTO outbox (point) VALUES (?)', ['{not json']);
  outbox.add([point()]);
  expect(outbox.page(2).map((row) => row.point)).toEqual([point()]);
  expect(outbox.counts()).toEqual({ waiting: 1, rejected: 2 });
  expect(outbox.rejected(1)[0]?.error).toContain('not a point');
});
