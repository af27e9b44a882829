import { expect, test } from 'vitest';
import type { Suppression } from '../../../controller/schedule/suppression.ts';
import { tempFolder } from '../../helpers/temp-folder.ts';
import { openStore } from './open-store.ts';
import { T0 } from './samples.ts';

const fleet: Suppression = { what: { scope: 'fleet' }, until_ms: null, reason: null, since_ms: T0 };
const acme: Suppression = {
  what: { scope: 'organization', name: 'acme' },
  until_ms: T0 + 1000,
  reason: 'radio work',
  since_ms: T0 + 1,
};

test('suppressions come back as they were set, the oldest first, also after a restart', () => {
  const folder = tempFolder();
  const store = openStore(folder);
  store.suppressions.put(fleet);
  store.suppressions.put(acme);
  store.close();
  expect(openStore(folder).suppressions.list()).toEqual([fleet, acme]);
});

test('there is one of each scope: another one takes its place', () => {
  const { suppressions } = openStore();
  suppressions.put(fleet);
  suppressions.put(acme);
  suppressions.put({ ...fleet, reason: 'enough', until_ms: T0 + 5 });
  suppressions.put({ ...acme, what: { scope: 'tag', name: 'acme' } });
  expect(suppressions.list().map(({ what, reason }) => [what, reason])).toEqual([
    [acme.what, 'radio work'],
    [fleet.what, 'enough'],
    [{ scope: 'tag', name: 'acme' }, 'radio work'],
  ]);
});

test('one is removed, and no other', () => {
  const { suppressions } = openStore();
  suppressions.put(fleet);
  suppressions.put(acme);
  suppressions.remove({ scope: 'organization', name: 'other' });
  suppressions.remove(fleet.what);
  expect(suppressions.list()).toEqual([acme]);
});

test('those that ended long ago are forgotten; one without an end stays', () => {
  const { suppressions } = openStore();
  suppressions.put(fleet);
  suppressions.put(acme);
  suppressions.prune(T0 + 1000);
  expect(suppressions.list()).toEqual([fleet, acme]);
  suppressions.prune(T0 + 1001);
  expect(suppressions.list()).toEqual([fleet]);
});

test('an end that no clock can show is read as none', () => {
  const { suppressions } = openStore();
  suppressions.put({ ...fleet, until_ms: 8.64e15 + 1 });
  expect(suppressions.list()).toEqual([fleet]);
});
