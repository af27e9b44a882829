import { accessSync, closeSync, constants, existsSync, openSync } from 'node:fs';
import Libsql from 'libsql';
import { z } from 'zod';
import { asStoreError, StoreError } from './errors.ts';
import { type Disk, WalSync } from './wal-sync.ts';

/** What may be bound. Nothing else: libsql 0.5 aborts the whole process when it is given a boolean. */
export type Value = string | number | Buffer | null;
export type Values = Value[] | Record<string, Value>;

/** What became of a part of a transaction. */
export type Part<T> = { ok: true; value: T } | { ok: false; error: unknown };

/** As many as a result has at most, usually. */
const ROWS_AT_ONCE = 8;

/**
 * One SQLite file, held by this process alone. Every method throws only StoreError.
 * What is committed is on disk: WAL with `synchronous=FULL`. `deferred()` is the exception.
 */
export class Database {
  readonly file: string;
  readonly #connection: Libsql.Database;
  readonly #statements = new Map<string, Libsql.Statement>();
  readonly #disk: Disk | undefined;
  #log: WalSync | null = null;
  #closed = false;

  private constructor(file: string, disk: Disk | undefined) {
    this.file = file;
    this.#disk = disk;
    this.#connection = new Libsql(file);
  }

  /**
   * Opens or creates `file`, readable by its owner only. Nothing else in this process may open an existing file: closing it
   * again would drop SQLite's locks too (POSIX, fcntl).
   */
  static open(file: string, disk?: Disk): Database {
    try {
      if (existsSync(file)) accessSync(file, constants.W_OK);
      else closeSync(openSync(file, 'ax', 0o600));
      const database = new Database(file, disk);
      try {
        database.exec('PRAGMA locking_mode = EXCLUSIVE');
        database.one(z.unknown(), 'PRAGMA journal_mode = WAL');
        database.exec('PRAGMA synchronous = FULL; BEGIN IMMEDIATE; COMMIT');
        return database;
      } catch (error) {
        database.close();
        throw error;
      }
    } catch (error) {
      throw asStoreError(error, file);
    }
  }

  /** Runs statements that bind nothing and return nothing. */
  exec(sql: string): void {
    this.#guarded(() => this.#connection.exec(sql));
  }

  /** Runs one statement; returns how many rows it changed. */
  run(sql: string, values: Values = []): number {
    return this.#guarded(() => this.#prepared(sql).run(values).changes);
  }

  /** Inserts rows of the same columns, several with one statement. `into` is all that stands before VALUES. */
  insert(into: string, rows: readonly Value[][]): void {
    for (let from = 0; from < rows.length; from += ROWS_AT_ONCE) {
      const some = rows.slice(from, from + ROWS_AT_ONCE);
      const places = some.map((row) => `(${row.map(() => '?').join()})`).join();
      this.run(`${into} VALUES ${places}`, some.flat());
    }
  }

  /** The first row, or null. */
  get<T extends z.ZodType>(row: T, sql: string, values: Values): z.infer<T> | null {
    return this.#guarded(() => {
      const found = this.#prepared(sql).get(values);
      return found === undefined ? null : row.parse(found);
    });
  }

  /** The row of a query that always has one. */
  one<T extends z.ZodType>(row: T, sql: string, values: Values = []): z.infer<T> {
    return this.#guarded(() => row.parse(this.#prepared(sql).get(values)));
  }

  /** All rows, in the order of the query. */
  all<T extends z.ZodType>(row: T, sql: string, values: Values = []): z.infer<T>[] {
    return this.#guarded(() =>
      this.#prepared(sql)
        .all(values)
        .map((found) => row.parse(found)),
    );
  }

  /** Everything that `work` writes is kept, or, when it throws, nothing. Within another transaction it is a part of that one. */
  transaction<T>(work: () => T): T {
    if (this.#connection.inTransaction) return work();
    this.exec('BEGIN IMMEDIATE');
    try {
      const result = work();
      this.exec('COMMIT');
      return result;
    } catch (error) {
      // SQLite has already rolled back by itself after some errors, such as a full disk.
      if (this.#connection.inTransaction) this.exec('ROLLBACK');
      throw error;
    }
  }

  /** Gives what `work` returns, and takes back all that it wrote. */
  takenBack<T>(work: () => T): T {
    this.exec('BEGIN IMMEDIATE');
    try {
      return work();
    } finally {
      this.exec('ROLLBACK');
    }
  }

  /**
   * A part of a transaction that is kept on its own: when it throws, what it wrote is undone, and the transaction goes on. Throws only when
   * all of that is lost: SQLite rolls back by itself after some errors, such as a full disk.
   */
  part<T>(work: () => T): Part<T> {
    this.run('SAVEPOINT part');
    let part: Part<T>;
    try {
      part = { ok: true, value: work() };
    } catch (error) {
      if (!this.#connection.inTransaction) throw error;
      this.run('ROLLBACK TO part');
      part = { ok: false, error };
    }
    this.run('RELEASE part');
    return part;
  }

  /**
   * As `transaction`, but it does not wait for the disk. A process that dies loses nothing of it, a machine that does may lose it: it, and
   * everything after it. `written` is its number, for `ensureOnDisk`. Within another transaction it is a part of that one.
   */
  deferred<T>(work: () => T): { result: T; written: number } {
    const log = this.#guarded(() => this.#wal);
    if (this.#connection.inTransaction) return { result: work(), written: log.written + 1 };
    this.exec('PRAGMA synchronous = NORMAL');
    try {
      const result = this.transaction(work);
      log.wrote();
      return { result, written: log.written };
    } finally {
      this.exec('PRAGMA synchronous = FULL');
    }
  }

  /** Waits until the deferred transaction with this number is on disk, unless it is already. */
  ensureOnDisk(written: number): void {
    this.#guarded(() => this.#wal.now(written));
  }

  /** Calls `then` once all that was written so far is on disk; never when the disk fails: then everything throws from now on. */
  onDisk(then: () => void): void {
    this.#guarded(() => this.#wal.soon(then));
  }

  /** Waits until everything is on disk, and calls who waits for that. */
  flush(): void {
    this.#guarded(() => this.#wal.now(this.#wal.written));
    this.#wal.tell();
  }

  /**
   * Gives the file up. libsql keeps a connection open until its statements are garbage; leaving WAL mode
   * releases the lock at once, so that the same process may open the file again.
   */
  close(): void {
    if (this.#closed) return;
    try {
      this.one(z.unknown(), 'PRAGMA journal_mode = DELETE');
      this.exec('PRAGMA locking_mode = NORMAL');
      this.one(z.unknown(), 'SELECT count(*) FROM sqlite_schema');
    } catch {
      // What is committed is safe in the WAL; the next to open the file finds it there.
    }
    this.#closed = true;
    this.#log?.close();
    this.#statements.clear();
    this.#connection.close();
  }

  #prepared(sql: string): Libsql.Statement {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#connection.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  /** Opened when it is needed first. */
  get #wal(): WalSync {
    this.#log ??= new WalSync(`${this.file}-wal`, this.#disk);
    return this.#log;
  }

  #guarded<T>(work: () => T): T {
    if (this.#closed) throw new StoreError('unavailable', `The store ${this.file} is closed`);
    try {
      if (this.#log?.error != null) throw this.#log.error;
      return work();
    } catch (error) {
      throw asStoreError(error, this.file);
    }
  }
}
