import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { Database } from '../../../controller/store/database.ts';
import { LATER_MS, Notices } from '../../../controller/store/notices.ts';
import { migrate } from '../../../controller/store/schema.ts';
import { tempFolder } from '../../helpers/temp-folder.ts';
import { notice, notices as several } from '../alerts/notices.ts';

const open = (limits?: { waiting: number; set_aside: number }) => {
  const database = Database.open(join(tempFolder(), 'a.db'));
  onTestFinished(() => database.close());
  migrate(database);
  return { database, notices: new Notices(database, limits) };
};

const idsOf = (notices: Notices, receiver: string): string[] => {
  const ids: string[] = [];
  for (let row = notices.next(receiver); row !== null; row = notices.next(receiver)) {
    ids.push(row.notice.id);
    notices.done(row.id);
  }
  return ids;
};

test('each receiver has its own notices, in the order in which they were added', () => {
  const { notices } = open();
  for (const one of several(3)) notices.add(['noc', 'boss'], one);
  notices.add(['noc'], notice({ id: 'n-4' }));
  expect(notices.counts('noc')).toEqual({ waiting: 4, set_aside: 0 });
  expect(notices.next('noc')?.notice).toEqual(notice({ id: 'n-1' }));
  expect(idsOf(notices, 'noc')).toEqual(['n-1', 'n-2', 'n-3', 'n-4']);
  expect(idsOf(notices, 'boss')).toEqual(['n-1', 'n-2', 'n-3']);
  expect(notices.next('nobody')).toBeNull();
});

test('of each alert the latest that waits for one receiver can be kept alone; what is no notice stays', () => {
  const { database, notices } = open();
  for (const one of several(2)) notices.add(['noc', 'boss'], one);
  notices.add(['noc'], notice({ id: 'n-3', alert: 'a-2' }));
  for (const text of ['no JSON', '{}', '{}'])
    database.run('INSERT INTO notices (receiver, notice) VALUES (?, ?)', ['noc', text]);
  expect(notices.dropSuperseded('noc')).toBe(1);
  expect(notices.counts('boss').waiting).toBe(2);
  expect(idsOf(notices, 'noc')).toEqual(['n-2', 'n-3']);
  expect(notices.counts('noc').set_aside).toBe(3);
});

test('a transaction that fails leaves no notice behind', () => {
  const { database, notices } = open();
  const failing = () =>
    database.transaction(() => {
      notices.add(['noc'], notice());
      throw new Error('no');
    });
  expect(failing).toThrow('no');
  expect(notices.counts('noc')).toEqual({ waiting: 0, set_aside: 0 });
});

test('what is set aside is kept with its reason, the newest so many for each receiver', () => {
  const { notices } = open({ waiting: 9, set_aside: 2 });
  notices.add(['boss'], notice());
  notices.setAside(notices.next('boss')?.id ?? 0, 'gone');
  for (const one of several(3)) notices.add(['noc'], one);
  for (let count = 1; count <= 3; count += 1) notices.setAside(notices.next('noc')?.id ?? 0, `refused ${count}`);
  expect(notices.counts('noc')).toEqual({ waiting: 0, set_aside: 2 });
  expect(notices.setAsideOf('noc', 9).map(({ error }) => error)).toEqual(['refused 3', 'refused 2']);
  expect(JSON.parse(notices.setAsideOf('noc', 1)[0]?.notice ?? '')).toEqual(notice({ id: 'n-3' }));
  expect(notices.counts('boss')).toEqual({ waiting: 0, set_aside: 1 });
});

test('to set aside one that is gone already changes nothing', () => {
  const { notices } = open();
  notices.setAside(7, 'no');
  expect(notices.setAsideOf('noc', 9)).toEqual([]);
});

test('a notice that this version cannot read is set aside, and those behind it are not held up', () => {
  const { database, notices } = open();
  const add = (text: string) => database.run('INSERT INTO notices (receiver, notice) VALUES (?, ?)', ['noc', text]);
  add('{not json');
  add('{"id": "of the future"}');
  add(JSON.stringify(notice({ at: 'yesterday' })));
  notices.add(['noc'], notice());
  expect(notices.next('noc')?.notice).toEqual(notice());
  expect(notices.counts('noc')).toEqual({ waiting: 1, set_aside: 3 });
  expect(notices.setAsideOf('noc', 1)[0]?.error).toContain('not a notice');
});

test('of too many that wait the oldest are dropped, and counted', () => {
  const { notices } = open({ waiting: 3, set_aside: 9 });
  for (const one of several(5)) notices.add(['noc', 'boss'], one);
  expect(notices.trim('noc')).toBe(2);
  expect(notices.trim('noc')).toBe(0);
  expect(idsOf(notices, 'noc')).toEqual(['n-3', 'n-4', 'n-5']);
  expect(notices.counts('boss').waiting).toBe(5);
});

test('what belongs to receivers that are gone is dropped, and the others keep theirs', () => {
  const { notices } = open();
  for (const one of several(2)) notices.add(['noc', 'boss', 'old'], one);
  notices.setAside(notices.next('old')?.id ?? 0, 'gone');
  expect(notices.keepOnly(['noc'])).toEqual([
    { receiver: 'boss', notices: 2 },
    { receiver: 'old', notices: 1 },
  ]);
  expect(notices.counts('old')).toEqual({ waiting: 0, set_aside: 0 });
  expect(notices.counts('noc')).toEqual({ waiting: 2, set_aside: 0 });
  expect(notices.keepOnly(['noc'])).toEqual([]);
});

const LATER = { to: ['later@x.net'], reason: '450', not_before_ms: 1000 };

test('what some addresses did not get waits for those until its time, or a clock that was set back; others go first', () => {
  const { notices } = open();
  for (const one of several(2)) notices.add(['noc'], one);
  const id = notices.next('noc', 0)?.id ?? 0;
  notices.doneInPart(id, { refused: [{ to: 'nobody@x.net', reason: '550' }], later: LATER });
  expect(notices.counts('noc')).toEqual({ waiting: 2, set_aside: 1 });
  expect(notices.next('noc', 999)).toMatchObject({ notice: { id: 'n-2' }, left_to: null, tries: 0 });
  expect(notices.next('noc', 1000)).toMatchObject({ id, notice: { id: 'n-1' }, left_to: LATER.to, tries: 1 });
  expect(notices.next('noc', 999 - LATER_MS)).toMatchObject({ id });
  expect(notices.nextLater('noc')).toEqual({ not_before_ms: 1000, error: '450' });
  expect(notices.nextLater('boss')).toBeNull();
  notices.doneInPart(id, { refused: [{ to: 'later@x.net', reason: '451' }], later: null });
  expect(notices.counts('noc')).toEqual({ waiting: 1, set_aside: 2 });
});

test('what was set aside waits again behind the others, for those who refused it, and what is for later is due', () => {
  const { notices } = open();
  for (const one of several(3)) notices.add(['noc', 'boss'], one);
  const nextId = () => notices.next('noc', 0)?.id ?? 0;
  notices.doneInPart(nextId(), { refused: [{ to: 'nobody@x.net', reason: '550' }], later: LATER });
  notices.setAside(nextId(), '400');
  notices.setAside(notices.next('boss')?.id ?? 0, '400');
  expect(notices.retry('noc')).toBe(3);
  expect(notices.counts('noc')).toEqual({ waiting: 4, set_aside: 0 });
  expect(notices.nextLater('noc')).toBeNull();
  const waiting = Array.from({ length: 4 }, () => {
    const { id, notice: one, left_to } = notices.next('noc', 0) ?? { id: 0 };
    notices.done(id);
    return [one?.id, left_to];
  });
  expect(waiting).toEqual([
    ['n-1', ['later@x.net']],
    ['n-3', null],
    ['n-1', ['nobody@x.net']],
    ['n-2', null],
  ]);
  expect(notices.counts('boss')).toEqual({ waiting: 2, set_aside: 1 });
  expect(notices.dropSetAside('boss')).toBe(1);
  expect(notices.retry('boss')).toBe(0);
});
