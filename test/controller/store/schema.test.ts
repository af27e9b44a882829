import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { Database } from '../../../controller/store/database.ts';
import { migrate } from '../../../controller/store/schema.ts';
import { tempFolder } from '../../helpers/temp-folder.ts';

const openDatabase = () => {
  const database = Database.open(join(tempFolder(), 'a.db'));
  onTestFinished(() => database.close());
  const version = () => database.one(z.object({ user_version: z.int() }), 'PRAGMA user_version').user_version;
  return { database, version };
};
const FIRST = 'CREATE TABLE a (x TEXT) STRICT';
const SECOND = "ALTER TABLE a ADD COLUMN y TEXT DEFAULT 'new'";

test('each step runs once, and what was stored before is still there', () => {
  const { database, version } = openDatabase();
  migrate(database, [FIRST]);
  database.run('INSERT INTO a VALUES (?)', ['old']);
  migrate(database, [FIRST, SECOND]);
  migrate(database, [FIRST, SECOND]);
  expect(version()).toBe(2);
  expect(database.all(z.object({ x: z.string(), y: z.string() }), 'SELECT * FROM a')).toEqual([{ x: 'old', y: 'new' }]);
});

test('a step that fails leaves the version before it', () => {
  const { database, version } = openDatabase();
  expect(() => migrate(database, [FIRST, 'CREATE TABLE b (x TEXT) STRICT; NONSENSE'])).toThrow('NONSENSE');
  expect(version()).toBe(1);
  migrate(database, [FIRST, 'CREATE TABLE b (x TEXT) STRICT']);
  expect(version()).toBe(2);
});
