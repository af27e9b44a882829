import { z } from 'zod';
import { Point } from '../influx/points.ts';
import type { Database } from './database.ts';

/** Points that InfluxDB refused are kept for people to look at, the newest this many. */
const MAX_REJECTED = 100_000;

const Row = z.object({ id: z.int(), point: z.string() });
const RejectedRow = Row.extend({ error: z.string() });

/** A point as it is stored, or why it is none. Thousands are read in a row: this takes half the time of a jsonColumn. */
const storedPoint = (text: string): Point | string => {
  try {
    const parsed = Point.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : z.prettifyError(parsed.error);
  } catch (error) {
    return String(error);
  }
};

export interface OutboxRow {
  id: number;
  point: Point;
}

/** Points on their way to InfluxDB, written in the transaction that stores what they are about. */
export class Outbox {
  readonly #database: Database;
  readonly #max_rejected: number;

  constructor(database: Database, max_rejected = MAX_REJECTED) {
    this.#database = database;
    this.#max_rejected = max_rejected;
  }

  /** To be called inside a transaction. */
  add(points: readonly Point[]): void {
    this.#database.insert(
      'INSERT INTO outbox (point)',
      points.map((point) => [JSON.stringify(point)]),
    );
  }

  /** The oldest `limit` points, of those after `after` if that is given. One that this version cannot read is set aside, or it would be in the way for ever. */
  page(limit: number, after = 0): OutboxRow[] {
    const rows = this.#database.all(Row, 'SELECT id, point FROM outbox WHERE id > ? ORDER BY id LIMIT ?', [
      after,
      limit,
    ]);
    const page: OutboxRow[] = [];
    for (const row of rows) {
      const point = storedPoint(row.point);
      if (typeof point === 'object') page.push({ id: row.id, point });
      else this.reject([row.id], `not a point: ${point}`);
    }
    return page.length === 0 && rows.length > 0 ? this.page(limit, after) : page;
  }

  /** The oldest up to this one have arrived. Does not wait for the disk: after a power cut they may be there again, and are sent again. */
  done(last: number): void {
    this.#database.deferred(() => this.#database.run('DELETE FROM outbox WHERE id <= ?', [last]));
  }

  /** Sets points aside that will never be taken. */
  reject(ids: readonly number[], error: string): void {
    const list = JSON.stringify(ids);
    const among = 'id IN (SELECT value FROM json_each(?))';
    this.#database.transaction(() => {
      this.#database.run(`INSERT INTO outbox_rejected SELECT id, point, ? FROM outbox WHERE ${among}`, [error, list]);
      this.#database.run(`DELETE FROM outbox WHERE ${among}`, [list]);
      this.#database.run(
        'DELETE FROM outbox_rejected WHERE id <= (SELECT id FROM outbox_rejected ORDER BY id DESC LIMIT 1 OFFSET ?)',
        [this.#max_rejected],
      );
    });
  }

  /** The newest points that were set aside, each with the reason. */
  rejected(limit: number): { id: number; point: string; error: string }[] {
    return this.#database.all(RejectedRow, 'SELECT id, point, error FROM outbox_rejected ORDER BY id DESC LIMIT ?', [
      limit,
    ]);
  }

  /** What was set aside waits again, behind everything else. Returns how many. */
  retryRejected(): number {
    return this.#database.transaction(() => {
      const back = this.#database.run('INSERT INTO outbox (point) SELECT point FROM outbox_rejected ORDER BY id');
      this.#database.run('DELETE FROM outbox_rejected');
      return back;
    });
  }

  counts(): { waiting: number; rejected: number } {
    const row = z.object({ waiting: z.int(), rejected: z.int() });
    const sql = 'SELECT (SELECT count(*) FROM outbox) AS waiting, (SELECT count(*) FROM outbox_rejected) AS rejected';
    return this.#database.one(row, sql);
  }
}
