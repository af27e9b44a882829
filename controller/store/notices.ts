import { z } from 'zod';
import { AlertNotice } from '../alerts/notice.ts';
import { jsonColumn } from './columns.ts';
import type { Database } from './database.ts';

/** Of those that wait for a receiver the newest this many are kept; of those that it refused, this many. */
const LIMITS = { waiting: 100_000, set_aside: 10_000 };

const StoredNotice = jsonColumn(AlertNotice);
const Row = z.object({
  id: z.int(),
  notice: z.string(),
  left_to: jsonColumn(z.array(z.string())).nullable(),
  tries: z.int(),
});
const SetAside = z.object({ notice: z.string(), error: z.string() });
const Receiver = z.object({ receiver: z.string() });
const Count = z.object({ receiver: z.string(), notices: z.int() });

const BEYOND = (table: string) =>
  `DELETE FROM ${table} WHERE receiver = :receiver
   AND id <= (SELECT id FROM ${table} WHERE receiver = :receiver ORDER BY id DESC LIMIT 1 OFFSET :kept)`;

/** What an address does not take for now is for so much later. */
export const LATER_MS = 5 * 60_000;

/** A notice that waits. `left_to`: the addresses that have not got it, tried so many times; null for all of the receiver's. */
export interface WaitingNotice {
  id: number;
  notice: AlertNotice;
  left_to: string[] | null;
  tries: number;
}

/** Those of a receiver's addresses that did not get a notice: refused for good, or to be tried again at some time. */
export interface LeftOver {
  refused: readonly { to: string; reason: string }[];
  later: { to: readonly string[]; reason: string; not_before_ms: number } | null;
}

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

  /**
   * The oldest that waits for a receiver and is not for later than `now_ms`; without that, for later or not. By a clock that was set back nothing
   * is for later. One that this version cannot read is
   * set aside, or it would be in the way for ever.
   */
  next(receiver: string, now_ms = Number.MAX_VALUE): WaitingNotice | null {
    const sql = `SELECT id, notice, left_to, tries FROM notices WHERE receiver = ? AND (not_before_ms <= ? OR not_before_ms > ?)
      ORDER BY id LIMIT 1`;
    const row = this.#database.get(Row, sql, [receiver, now_ms, now_ms + LATER_MS]);
    if (row === null) return null;
    const parsed = StoredNotice.safeParse(row.notice);
    if (parsed.success) return { ...row, notice: parsed.data };
    this.setAside(row.id, `not a notice: ${z.prettifyError(parsed.error)}`);
    return this.next(receiver, now_ms);
  }

  /** The first of those that are for later: when it is due, and why it waits. Null when there is none. */
  nextLater(receiver: string): { not_before_ms: number; error: string } | null {
    const sql = `SELECT not_before_ms, error FROM notices WHERE receiver = ? AND error IS NOT NULL
      ORDER BY not_before_ms LIMIT 1`;
    return this.#database.get(z.object({ not_before_ms: z.number(), error: z.string() }), sql, [receiver]);
  }

  /** This one has arrived. */
  done(id: number): void {
    this.#database.run('DELETE FROM notices WHERE id = ?', [id]);
  }

  /** Its receiver will never take this one. */
  setAside(id: number, error: string): void {
    this.#database.transaction(() => {
      this.#copyAside(id, error, null);
      this.done(id);
    });
  }

  /** It has arrived, but for some addresses: it waits on for those that may take it later, and is set aside for the others. */
  doneInPart(id: number, { refused, later }: LeftOver): void {
    this.#database.transaction(() => {
      for (const { to, reason } of refused) this.#copyAside(id, reason, JSON.stringify([to]));
      if (later === null) return this.done(id);
      this.#database.run(
        'UPDATE notices SET left_to = ?, error = ?, not_before_ms = ?, tries = tries + 1 WHERE id = ?',
        [JSON.stringify(later.to), later.reason, later.not_before_ms, id],
      );
    });
  }

  /** What a receiver refused waits again, for whom it was refused; what is for later is due. Returns how many that are. */
  retry(receiver: string): number {
    return this.#database.transaction(() => {
      const due = 'UPDATE notices SET not_before_ms = 0, error = NULL WHERE receiver = ? AND error IS NOT NULL';
      const back = `INSERT INTO notices (receiver, notice, left_to)
        SELECT receiver, notice, left_to FROM notices_set_aside WHERE receiver = ? ORDER BY id`;
      const count = this.#database.run(due, [receiver]) + this.#database.run(back, [receiver]);
      this.#database.run('DELETE FROM notices_set_aside WHERE receiver = ?', [receiver]);
      return count;
    });
  }

  /** Forgets what a receiver refused; returns how many. */
  dropSetAside(receiver: string): number {
    return this.#database.run('DELETE FROM notices_set_aside WHERE receiver = ?', [receiver]);
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

  /** `left_to` is JSON; null for that of the notice itself. */
  #copyAside(id: number, error: string, left_to: string | null): void {
    const sql = `INSERT INTO notices_set_aside (receiver, notice, error, left_to)
      SELECT receiver, notice, ?, coalesce(?, left_to) FROM notices WHERE id = ?`;
    this.#database.run(sql, [error, left_to, id]);
    const receiver = this.#database.get(Receiver, 'SELECT receiver FROM notices WHERE id = ?', [id]);
    if (receiver !== null)
      this.#database.run(BEYOND('notices_set_aside'), { ...receiver, kept: this.#limits.set_aside });
  }
}
