import { z } from 'zod';
import { AlertNotice } from '../alerts/notice.ts';
import { type Database, jsonColumn } from './database.ts';

/** Of those that wait for a receiver the newest this many are kept; of those that it refused, this many. */
const LIMITS = { waiting: 100_000, set_aside: 10_000 };

const StoredNotice = jsonColumn(AlertNotice);
const Row = z.object({ id: z.int(), notice: z.string() });
const SetAside = z.object({ notice: z.string(), error: z.string() });
const Count = z.object({ receiver: z.string(), notices: z.int() });

const BEYOND = (table: string) =>
  `DELETE FROM ${table} WHERE receiver = :receiver
   AND id <= (SELECT id FROM ${table} WHERE receiver = :receiver ORDER BY id DESC LIMIT 1 OFFSET :kept)`;

/** What people are to be told, one row for each receiver and notice, written in the transaction that stores what it is about. */
export class Notices {
  readonly #database: Database;
  readonly #limits: typeof LIMITS;

  constructor(database: Database, limits = LIMITS) {
    this.#database = database;
    this.#limits = limits;
  }

  /** To be called inside a transaction; after it, `Deliveries.kick`. */
  add(receivers: readonly string[], notice: AlertNotice): void {
    const text = JSON.stringify(notice);
    for (const receiver of receivers)
      this.#database.run('INSERT INTO notices (receiver, notice) VALUES (?, ?)', [receiver, text]);
  }

  /** The oldest that waits for a receiver. One that this version cannot read is set aside, or it would be in the way for ever. */
  next(receiver: string): { id: number; notice: AlertNotice } | null {
    const sql = 'SELECT id, notice FROM notices WHERE receiver = ? ORDER BY id LIMIT 1';
    const row = this.#database.get(Row, sql, [receiver]);
    if (row === null) return null;
    const parsed = StoredNotice.safeParse(row.notice);
    if (parsed.success) return { id: row.id, notice: parsed.data };
    this.setAside(row.id, `not a notice: ${z.prettifyError(parsed.error)}`);
    return this.next(receiver);
  }

  /** This one has arrived. */
  done(id: number): void {
    this.#database.run('DELETE FROM notices WHERE id = ?', [id]);
  }

  /** Its receiver will never take this one. */
  setAside(id: number, error: string): void {
    this.#database.transaction(() => {
      const sql = 'INSERT INTO notices_set_aside SELECT id, receiver, notice, ? FROM notices WHERE id = ?';
      this.#database.run(sql, [error, id]);
      const receiver = this.#database.get(
        z.object({ receiver: z.string() }),
        'SELECT receiver FROM notices WHERE id = ?',
        [id],
      );
      this.done(id);
      if (receiver !== null)
        this.#database.run(BEYOND('notices_set_aside'), { ...receiver, kept: this.#limits.set_aside });
    });
  }

  /** The newest that a receiver refused, each with the reason. */
  setAsideOf(receiver: string, limit: number): { notice: string; error: string }[] {
    const sql = 'SELECT notice, error FROM notices_set_aside WHERE receiver = ? ORDER BY id DESC LIMIT ?';
    return this.#database.all(SetAside, sql, [receiver, limit]);
  }

  /** Drops the oldest beyond what may wait for a receiver; returns how many. */
  trim(receiver: string): number {
    return this.#database.run(BEYOND('notices'), { receiver, kept: this.#limits.waiting });
  }

  /** Drops what a later one of the same alert, which waits too, makes old; returns how many. */
  dropSuperseded(receiver: string): number {
    const alert = `CASE WHEN json_valid(notice) THEN notice ->> '$.alert' END`;
    const latest = `SELECT max(id) FROM notices WHERE receiver = :receiver GROUP BY coalesce(${alert}, id)`;
    return this.#database.run(`DELETE FROM notices WHERE receiver = :receiver AND id NOT IN (${latest})`, { receiver });
  }

  /** What belongs to a receiver belongs to another name from now on, which has nothing yet. */
  rename(from: string, to: string): void {
    for (const table of ['notices', 'notices_set_aside'])
      this.#database.run(`UPDATE ${table} SET receiver = ? WHERE receiver = ?`, [to, from]);
  }

  /** Drops what belongs to any other receiver; returns what waited for those. */
  keepOnly(receivers: readonly string[]): { receiver: string; notices: number }[] {
    return this.#database.transaction(() => {
      const names = JSON.stringify(receivers);
      const others = 'WHERE receiver NOT IN (SELECT value FROM json_each(?))';
      const sql = `SELECT receiver, count(*) AS notices FROM notices ${others} GROUP BY receiver`;
      const dropped = this.#database.all(Count, sql, [names]);
      for (const table of ['notices', 'notices_set_aside'])
        this.#database.run(`DELETE FROM ${table} ${others}`, [names]);
      return dropped;
    });
  }

  counts(receiver: string): { waiting: number; set_aside: number } {
    const count = (table: string) => `(SELECT count(*) FROM ${table} WHERE receiver = :receiver)`;
    const sql = `SELECT ${count('notices')} AS waiting, ${count('notices_set_aside')} AS set_aside`;
    return this.#database.one(z.object({ waiting: z.int(), set_aside: z.int() }), sql, { receiver });
  }
}
