import { closeSync, openSync, readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { type Disk, WalSync } from '../../../controller/store/wal-sync.ts';
import { temporaryFolder } from '../../helpers/controller-fixture.ts';
import { until } from '../../helpers/until.ts';
import { HeldDisk } from './held-disk.ts';

const open = (disk?: Disk) => {
  const file = join(temporaryFolder(), 'perfleet.db-wal');
  closeSync(openSync(file, 'w'));
  const log = new WalSync(file, disk);
  onTestFinished(() => log.close());
  return log;
};

/** How many logs this process has open. */
const openFiles = (): number =>
  readdirSync('/proc/self/fd').filter((file) => {
    try {
      return readlinkSync(`/proc/self/fd/${file}`).endsWith('perfleet.db-wal');
    } catch {
      return false;
    }
  }).length;

const held = () => {
  const disk = new HeldDisk();
  return { disk, log: open(disk) };
};

/** Who was told, in order. */
const listen = (log: WalSync) => {
  const told: string[] = [];
  const tell = (name: string) => log.soon(() => void told.push(name));
  return { told, tell };
};

test('whoever waits is told when the disk has what was written before, in order, and not earlier', async () => {
  const log = open();
  const { told, tell } = listen(log);
  log.wrote();
  tell('first');
  log.wrote();
  tell('second');
  expect(told).toEqual([]);
  await until('both are told', () => told.length === 2);
  expect(told).toEqual(['first', 'second']);
});

test('what is written while the disk is at work shares the next turn', async () => {
  const { disk, log } = held();
  const { told, tell } = listen(log);
  for (const name of ['a', 'b', 'c']) {
    log.wrote();
    tell(name);
  }
  expect(disk.asked).toBe(1);
  disk.letGo();
  await until('the next turn begins', () => disk.asked === 2);
  expect(told).toEqual(['a']);
  disk.letGo();
  await until('the others are told', () => told.length === 3);
  expect(disk.asked).toBe(2);
});

test('waiting for a commit asks the disk only when that commit is not there yet', async () => {
  const { disk, log } = held();
  const { told, tell } = listen(log);
  log.wrote();
  const first = log.written;
  tell('first');
  disk.letGo();
  await until('it is on disk', () => told.length === 1);
  log.wrote();
  log.now(first);
  expect(disk.waits).toBe(0);
  log.now(log.written);
  log.now(log.written);
  expect(disk.waits).toBe(1);
});

test('who waits can be told at once after waiting for the disk, and the turn under way tells nobody again', async () => {
  const { disk, log } = held();
  const { told, tell } = listen(log);
  log.wrote();
  tell('first');
  log.now(log.written);
  log.tell();
  expect(told).toEqual(['first']);
  log.wrote();
  tell('second');
  disk.letGo();
  await until('the next turn begins', () => disk.asked === 2);
  expect(told).toEqual(['first']);
  disk.letGo();
  await until('the second is told', () => told.length === 2);
});

test('a disk that failed beside the event loop tells nobody, and is never believed again', async () => {
  const { disk, log } = held();
  const { told, tell } = listen(log);
  disk.broken = true;
  log.wrote();
  tell('first');
  disk.letGo();
  await until('it failed', () => log.error);
  disk.broken = false;
  log.wrote();
  tell('second');
  expect(() => log.now(log.written)).toThrow('EIO');
  expect(() => log.now(0)).toThrow('EIO');
  expect([told, disk.asked, disk.waits]).toEqual([[], 1, 0]);
});

test('a disk that failed somebody who waited for it is not asked again for others', async () => {
  const { disk, log } = held();
  const { told, tell } = listen(log);
  log.wrote();
  tell('first');
  disk.broken = true;
  expect(() => log.now(log.written)).toThrow('EIO');
  disk.letGo();
  log.tell();
  tell('second');
  expect([told, disk.asked]).toEqual([[], 1]);
});

test('closed while the disk is at work it tells nobody, and lets go of the file only afterwards', async () => {
  const { disk, log } = held();
  const { told, tell } = listen(log);
  log.wrote();
  tell('first');
  log.close();
  expect(openFiles()).toBe(1);
  disk.letGo();
  await until('the file is let go of', () => openFiles() === 0);
  expect(told).toEqual([]);
});
