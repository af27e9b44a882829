import { expect, test } from 'vitest';
import { tempFolder } from '../../helpers/temp-folder.ts';
import { openStore } from './open-store.ts';
import { lease, plan } from './samples.ts';

test('leases come back as they were saved, in order of their tokens', () => {
  const { leases } = openStore();
  const second = lease(2, { granted: true, tests: [plan('a'), plan('b')], device: 'ap-2' });
  leases.save(second);
  leases.save(lease(1));
  expect(leases.list()).toEqual([lease(1), second]);
});

test('saving a lease again replaces it', () => {
  const { leases } = openStore();
  leases.save(lease(1));
  leases.save(lease(1, { granted: true, nonce: 'n-2' }));
  expect(leases.list()).toEqual([lease(1, { granted: true, nonce: 'n-2' })]);
});

test('the last token only grows, and outlives its lease and the process', () => {
  const folder = tempFolder();
  const store = openStore(folder);
  expect(store.leases.lastToken()).toBe(0);
  store.leases.save(lease(7));
  store.leases.save(lease(3));
  store.leases.drop(7);
  store.leases.drop(3);
  expect(store.leases.lastToken()).toBe(7);
  store.close();
  const again = openStore(folder);
  expect(again.leases.lastToken()).toBe(7);
  expect(again.leases.list()).toEqual([]);
});
