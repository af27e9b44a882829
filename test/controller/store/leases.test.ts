import { expect, test } from 'vitest';
import { tempFolder } from '../../helpers/temp-folder.ts';
import { until } from '../../helpers/until.ts';
import { openStore, openWithHeldDisk } from './open-store.ts';
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

test('a lease that goes to disk by itself is waited for only when it is not there yet', async () => {
  const { disk, store } = openWithHeldDisk();
  store.leases.save(lease(1));
  store.leases.ensureOnDisk(1);
  expect(disk.waits).toBe(1);
  store.leases.save(lease(2));
  disk.letGo();
  await until('the disk is asked for the second lease', () => disk.asked === 2);
  disk.letGo();
  await until('the second lease is on disk', () => disk.turns === 2);
  store.leases.ensureOnDisk(2);
  store.leases.ensureOnDisk(1);
  expect(disk.waits).toBe(1);
  store.leases.save(lease(2, { nonce: 'n-2' }));
  store.leases.ensureOnDisk(2);
  expect(disk.waits).toBe(2);
  store.leases.save(lease(3));
  store.leases.drop(3);
  store.leases.ensureOnDisk(3);
  expect(disk.waits).toBe(2);
});
