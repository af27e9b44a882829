import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { Database } from '../../../controller/store/database.ts';
import { asStoreError, StoreError } from '../../../controller/store/errors.ts';
import { Store } from '../../../controller/store/store.ts';
import { canMount, makeReadOnly, smallDisk } from '../../helpers/mount.ts';
import { tempFolder } from '../../helpers/temp-folder.ts';
import { until } from '../../helpers/until.ts';
import { openStore, openWithHeldDisk } from './open-store.ts';
import { lease, newRun, resultWrite } from './samples.ts';

const storeError = (kind: string, message: string) =>
  expect.objectContaining({ name: 'StoreError', kind, message: expect.stringContaining(message) });

test('the folder and the file are made when they are missing, for their owner only', () => {
  const folder = join(tempFolder(), 'var', 'perfleet');
  openStore(folder);
  expect(statSync(folder).mode & 0o777).toBe(0o700);
  expect(statSync(join(folder, 'perfleet.db')).mode & 0o777).toBe(0o600);
});

/** What another process gets to see of the store. */
const openElsewhere = (folder: string): string => {
  const program = `
    const database = new (require('libsql'))(process.argv[1]);
    try { database.exec('SELECT * FROM runs'); console.log('open'); } catch (error) { console.log(error.code); }`;
  return execFileSync(process.execPath, ['-e', program, join(folder, 'perfleet.db')], { encoding: 'utf8' }).trim();
};

test('a second controller is refused while the first holds the store, and welcome after it', () => {
  const folder = tempFolder();
  const first = openStore(folder);
  first.runs.add([newRun('r-1')]);
  expect(() => Store.open(folder)).toThrow(
    storeError('in-use', 'is in use by another controller: stop that one first'),
  );
  expect(openElsewhere(folder)).toBe('SQLITE_BUSY');
  first.close();
  const second = openStore(folder);
  expect(second.runs.open()).toHaveLength(1);
  expect(() => Store.open(folder)).toThrow(storeError('in-use', 'in use'));
});

test('a closed store says so, and may be closed again', () => {
  const store = openStore();
  store.close();
  store.close();
  expect(() => store.runs.open()).toThrow(storeError('unavailable', 'is closed'));
});

test('closing leaves one single file', () => {
  const folder = tempFolder();
  const store = openStore(folder);
  store.runs.add([newRun('r-1')]);
  expect(readdirSync(folder)).toContain('perfleet.db-wal');
  store.close();
  expect(readdirSync(folder)).toEqual(['perfleet.db']);
});

test('a store that was written by a newer version is refused, and keeps its version', () => {
  const folder = tempFolder();
  openStore(folder).close();
  const file = join(folder, 'perfleet.db');
  const database = Database.open(file);
  database.exec('PRAGMA user_version = 99');
  database.close();
  for (const _ of [1, 2]) {
    expect(() => Store.open(folder)).toThrow(storeError('newer', 'has version 99, this perfleet knows up to 3'));
  }
});

test('a file that is no database is refused as corrupt', () => {
  const folder = tempFolder();
  writeFileSync(join(folder, 'perfleet.db'), 'this is not a database '.repeat(400));
  expect(() => Store.open(folder)).toThrow(storeError('corrupt', 'restore the file from a backup'));
});

test('a row that is not as expected is reported as corrupt, with what is wrong', () => {
  const folder = tempFolder();
  const store = openStore(folder);
  store.leases.save(lease(1));
  store.leases.save(lease(2));
  store.close();
  const database = Database.open(join(folder, 'perfleet.db'));
  database.run('UPDATE leases SET tests = ? WHERE token = 1', ['[{"test": 5}]']);
  database.close();
  const damaged = openStore(folder);
  expect(() => damaged.leases.list()).toThrow(storeError('corrupt', 'tests[0].test'));
  damaged.leases.drop(1);
  damaged.close();
  const again = Database.open(join(folder, 'perfleet.db'));
  again.run('UPDATE leases SET tests = ?', ['{not json']);
  again.close();
  const worse = openStore(folder);
  expect(() => worse.leases.list()).toThrow(storeError('corrupt', 'not JSON'));
});

test('a path that cannot be a folder, or a file, is unavailable', () => {
  const folder = tempFolder();
  writeFileSync(join(folder, 'file'), '');
  expect(() => Store.open(join(folder, 'file', 'store'))).toThrow(storeError('unavailable', 'ENOTDIR'));
  mkdirSync(join(folder, 'perfleet.db'));
  expect(() => Store.open(folder)).toThrow(storeError('unavailable', 'cannot be used'));
});

test.skipIf(!canMount)('a read-only file system is named as the reason', () => {
  const folder = tempFolder();
  makeReadOnly(folder);
  expect(() => Store.open(folder)).toThrow(storeError('read-only', 'check the permissions'));
});

test.skipIf(!canMount)('an existing store on a read-only file system is refused too', () => {
  const folder = tempFolder();
  openStore(folder).close();
  makeReadOnly(folder);
  expect(() => Store.open(folder)).toThrow(storeError('read-only', 'EROFS'));
});

test.skipIf(!canMount)(
  'on a full disk a result is refused whole, nothing before it is lost, and with room again it is stored',
  () => {
    const folder = smallDisk('1m');
    const ballast = join(folder, 'ballast');
    writeFileSync(ballast, Buffer.alloc(400_000));
    const store = openStore(folder);
    let stored = 0;
    const fill = () => {
      for (; stored < 10_000; stored += 1) {
        store.runs.add([newRun(`r-${stored}`)]);
        store.results.store(resultWrite(`r-${stored}`, stored + 1));
      }
    };
    expect(fill).toThrow(storeError('full', 'has no room left: free some disk space'));
    expect(stored).toBeGreaterThan(5);
    expect(fill).toThrow(storeError('full', 'no room'));
    expect(store.runs.open().length).toBeLessThanOrEqual(1);
    expect(store.records.list({ limit: stored + 9 }).filter((record) => record.outcome === 'success')).toHaveLength(
      stored,
    );

    writeFileSync(ballast, '');
    store.runs.add([newRun(`r-${stored}`)]);
    expect(store.results.store(resultWrite(`r-${stored}`, stored + 1))).toBe('stored');
    store.close();
    expect(openStore(folder).records.get(`r-${stored}`)?.outcome).toBe('success');
  },
);

const openDatabase = () => {
  const database = Database.open(join(tempFolder(), 'a.db'));
  onTestFinished(() => database.close());
  database.exec('CREATE TABLE t (a TEXT) STRICT');
  const count = () => database.one(z.object({ n: z.int() }), 'SELECT count(*) AS n FROM t').n;
  return { database, count };
};

test('a transaction whose work throws leaves nothing, and the error passes unchanged', () => {
  const { database, count } = openDatabase();
  const cause = new Error('a bug');
  const work = () =>
    database.transaction(() => {
      database.run('INSERT INTO t VALUES (?)', ['x']);
      throw cause;
    });
  expect(work).toThrow(cause);
  expect(count()).toBe(0);
});

test('a transaction that fills the file is rolled back, and the next one works', () => {
  const { database, count } = openDatabase();
  database.exec('PRAGMA max_page_count = 10');
  const fill = () =>
    database.transaction(() => {
      for (;;) database.run('INSERT INTO t VALUES (?)', ['x'.repeat(3000)]);
    });
  expect(fill).toThrow(storeError('full', 'no room'));
  expect(count()).toBe(0);
  database.transaction(() => database.run('INSERT INTO t VALUES (?)', ['x']));
  expect(count()).toBe(1);
});

test('a database that may only be read says that it is read-only', () => {
  const { database } = openDatabase();
  database.exec('PRAGMA query_only = 1');
  expect(() => database.run('INSERT INTO t VALUES (?)', ['x'])).toThrow(storeError('read-only', 'cannot be written'));
});

test.each([
  ['SQLITE_BUSY_SNAPSHOT', 'in-use'],
  ['SQLITE_LOCKED', 'in-use'],
  ['SQLITE_READONLY_DBMOVED', 'read-only'],
  ['SQLITE_IOERR_FSYNC', 'unavailable'],
  ['SQLITE_CANTOPEN', 'unavailable'],
  ['SQLITE_CORRUPT_INDEX', 'corrupt'],
  ['Z_DATA_ERROR', 'corrupt'],
  ['ENOSPC', 'full'],
  ['EACCES', 'read-only'],
])('%s is reported as %s, with its cause', (code, kind) => {
  const cause = Object.assign(new Error('as SQLite says'), { code });
  const error = asStoreError(cause, '/var/lib/perfleet/perfleet.db');
  expect(error).toMatchObject({ kind, cause });
  expect(error.message).toContain('/var/lib/perfleet/perfleet.db');
  expect(error.message).toContain('as SQLite says');
});

test('anything else that is thrown is unavailable, and a StoreError stays what it is', () => {
  expect(asStoreError('odd', 'f')).toMatchObject({ kind: 'unavailable', message: expect.stringContaining('(odd)') });
  const error = new StoreError('full', 'no room');
  expect(asStoreError(error, 'f')).toBe(error);
});

test('what need not wait for the disk is there at once, in full or not at all, and after a restart', () => {
  const folder = tempFolder();
  const store = openStore(folder);
  expect(store.deferred(() => store.runs.add([newRun('r-1')]))).toEqual(['r-1']);
  expect(() =>
    store.deferred(() => {
      store.runs.add([newRun('r-2')]);
      throw new Error('changed its mind');
    }),
  ).toThrow('changed its mind');
  store.atomically(() => store.deferred(() => store.runs.add([newRun('r-3')])));
  store.close();
  const again = openStore(folder);
  expect(again.runs.open().map(({ run }) => run)).toEqual(['r-1', 'r-3']);
});

test('a part of a transaction is kept or undone on its own, and fails with the whole of it', () => {
  const database = Database.open(join(tempFolder(), 'test.db'));
  onTestFinished(() => database.close());
  database.exec('CREATE TABLE t (a INTEGER)');
  const rows = () => database.all(z.object({ a: z.int() }), 'SELECT a FROM t').map(({ a }) => a);
  const parts = database.transaction(() => [
    database.part(() => database.run('INSERT INTO t VALUES (1)')),
    database.part(() => {
      database.run('INSERT INTO t VALUES (2)');
      throw new Error('a defect');
    }),
    database.part(() => database.run('INSERT INTO t VALUES (3)')),
  ]);
  expect(parts).toEqual([
    { ok: true, value: 1 },
    { ok: false, error: new Error('a defect') },
    { ok: true, value: 1 },
  ]);
  expect(rows()).toEqual([1, 3]);
  const lost = () =>
    database.transaction(() =>
      database.part(() => {
        database.run('INSERT INTO t VALUES (4)');
        // As SQLite does by itself when the disk is full.
        database.exec('ROLLBACK');
        throw new Error('no room');
      }),
    );
  expect(lost).toThrow('no room');
  expect(rows()).toEqual([1, 3]);
});

test('many rows are inserted, in their order', () => {
  const database = Database.open(join(tempFolder(), 'test.db'));
  onTestFinished(() => database.close());
  database.exec('CREATE TABLE t (a INTEGER, b TEXT)');
  const wanted = Array.from({ length: 19 }, (_, index) => ({ a: index, b: `${index}` }));
  database.insert(
    'INSERT INTO t (a, b)',
    wanted.map(({ a, b }) => [a, b]),
  );
  database.insert('INSERT INTO t (a, b)', []);
  expect(database.all(z.object({ a: z.int(), b: z.string() }), 'SELECT a, b FROM t ORDER BY rowid')).toEqual(wanted);
});

test('only what is deferred does not wait for the disk', () => {
  const database = Database.open(join(tempFolder(), 'test.db'));
  onTestFinished(() => database.close());
  const level = () => database.one(z.object({ synchronous: z.int() }), 'PRAGMA synchronous').synchronous;
  expect([level(), database.deferred(level).result, level()]).toEqual([2, 1, 2]);
});

test('who asks is told when the disk has it, at the latest by a flush', async () => {
  const { store, disk } = openWithHeldDisk();
  const told: string[] = [];
  store.deferred(() => store.runs.add([newRun('r-1')]));
  store.onDisk(() => told.push('first'));
  expect(told).toEqual([]);
  disk.letGo();
  await until('the first is told', () => told.length === 1);
  store.deferred(() => store.runs.add([newRun('r-2')]));
  store.onDisk(() => told.push('second'));
  store.flush();
  expect(told).toEqual(['first', 'second']);
});

test('a store whose disk failed beside the event loop can not be used any more', async () => {
  const { store, disk } = openWithHeldDisk();
  disk.broken = true;
  store.leases.save(lease(1));
  disk.letGo();
  await until('the disk has failed', () => disk.turns === 1);
  const failed = storeError('unavailable', 'cannot be used: check the disk');
  expect(() => store.leases.ensureOnDisk(1)).toThrow(failed);
  expect(() => store.runs.add([newRun('r-1')])).toThrow(failed);
  expect(() => store.onDisk(() => {})).toThrow(failed);
});

test('what is taken back was there for a moment, also when the work fails', () => {
  const store = openStore();
  const seen = store.takenBack(() => {
    store.runs.add([newRun('r-1')]);
    return store.runs.get('r-1')?.run;
  });
  const fail = () => {
    store.runs.add([newRun('r-2')]);
    throw new Error('no');
  };
  expect(() => store.takenBack(fail)).toThrow('no');
  expect([seen, store.runs.open()]).toEqual(['r-1', []]);
});
