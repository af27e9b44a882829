import { expect, test } from 'vitest';
import type { AlertNotice } from '../../controller/alerts/notice.ts';
import { notice } from '../controller/alerts/notices.ts';
import { compareAllNotices, compareNotices } from './compare-notices.ts';
import type { StateChange } from './rules.ts';

const change = (device: string, state: StateChange['state'], run: string): StateChange => ({
  ...{ device, rule: 'slow-download', state, run },
});

const CHANGES = [
  change('ap-1', 'firing', 'r-1'),
  change('ap-1', 'resolved', 'r-3'),
  change('ap-2', 'firing', 'r-2'),
  change('ap-1', 'firing', 'r-5'),
];

const told = ({ device, state, run }: StateChange, changes: Partial<AlertNotice> = {}): AlertNotice =>
  notice({ id: `${device}.${run}.${state}`, subject: { kind: 'device', name: device }, state, run, ...changes });

const [FIRST, SECOND, OTHER, THIRD] = CHANGES.map((one) => told(one)) as [
  AlertNotice,
  AlertNotice,
  AlertNotice,
  AlertNotice,
];
const compared = (...notices: AlertNotice[]) => compareNotices(CHANGES, { receiver: 'noc', notices });

test('all told in order, some again at once, is no difference: alerts are in order each by itself', () => {
  const nothing = { untold: [], doubled: [], disordered: [] };
  expect(compared(FIRST, SECOND, OTHER, THIRD)).toEqual({ ...nothing, notices: 4, repeated: 0 });
  expect(compared(OTHER, FIRST, FIRST, FIRST, SECOND, THIRD, THIRD)).toEqual({ ...nothing, notices: 4, repeated: 3 });
});

test('a notice that was lost is found', () => {
  expect(compared(FIRST, OTHER, THIRD)).toMatchObject({
    ...{ untold: ['noc: ap-1 slow-download resolved r-3'], doubled: [], disordered: [], notices: 3 },
  });
});

test('a change that was told under two ids is found, one that never was, and an id that says something else', () => {
  const again = { ...SECOND, id: 'another' };
  expect(compared(FIRST, SECOND, again, OTHER, THIRD)).toMatchObject({
    ...{ untold: [], doubled: ['noc: ap-1 slow-download resolved r-3 (another)'], disordered: [] },
  });
  const strange = told(change('ap-3', 'firing', 'r-4'));
  expect(compared(FIRST, SECOND, OTHER, THIRD, strange).doubled).toEqual([
    'noc: ap-3 slow-download firing r-4 (ap-3.r-4.firing)',
  ]);
  expect(compared(FIRST, { ...FIRST, reason: 'other words' }, SECOND, OTHER, THIRD).doubled).toHaveLength(1);
});

test('an end before its beginning is found, and what is said again after something else', () => {
  expect(compared(SECOND, FIRST, OTHER, THIRD)).toMatchObject({
    ...{ untold: [], doubled: [], disordered: ['noc: ap-1 slow-download firing r-1 (ap-1.r-1.firing)'] },
  });
  expect(compared(FIRST, SECOND, FIRST, OTHER, THIRD)).toMatchObject({
    ...{ untold: [], doubled: [], disordered: ['noc: ap-1 slow-download firing r-1 (ap-1.r-1.firing)'] },
  });
});

test('each receiver is compared by itself', () => {
  const all = [FIRST, SECOND, OTHER, THIRD];
  expect(
    compareAllNotices(CHANGES, [
      { receiver: 'noc', notices: all },
      { receiver: 'boss', notices: all.slice(0, 3) },
    ]),
  ).toEqual({
    ...{ untold: ['boss: ap-1 slow-download firing r-5'], doubled: [], disordered: [], notices: 7, repeated: 0 },
  });
});
