import { z } from 'zod';
import type { TestPlan } from '../../broker/contract/messages.ts';
import type { Database } from './database.ts';

const Bytes = z.object({ bytes: z.number() });
const Count = z.object({ count: z.int() });

/**
 * What the runs of devices have moved over their links, in bytes, a row for each grant: an estimate until the result says what it really was.
 * A grant whose result never comes keeps its estimate.
 */
export class Moved {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** At a grant: `bytes` is the estimate. The same token counts once. */
  note(grant: { token: number; run: string; device: string; at_ms: number; bytes: number }): void {
    this.#database.run(
      `INSERT INTO moved (token, run, device, at_ms, bytes, estimated) VALUES (@token, @run, @device, @at_ms, @bytes, 1)
       ON CONFLICT DO NOTHING`,
      grant,
    );
  }

  /** What was really moved. To be called inside the transaction that stores the result. */
  correct(token: number, bytes: number): void {
    this.#database.run('UPDATE moved SET bytes = ?, estimated = 0 WHERE token = ?', [bytes, token]);
  }

  /** Bytes of a device since then, estimates included. */
  since(device: string, at_ms: number): number {
    // Not sum(): it fails where integers overflow, and a device can claim what it likes.
    const sql = 'SELECT total(bytes) AS bytes FROM moved WHERE device = ? AND at_ms >= ?';
    return this.#database.all(Bytes, sql, [device, at_ms]).reduce((sum, row) => sum + row.bytes, 0);
  }

  /** How many runs a device has had since then, `run` itself not counted. */
  runsSince(device: string, at_ms: number, run: string): number {
    const sql = 'SELECT count(DISTINCT run) AS count FROM moved WHERE device = ? AND at_ms >= ? AND run <> ?';
    return this.#database.all(Count, sql, [device, at_ms, run]).reduce((sum, row) => sum + row.count, 0);
  }

  /** What a device's last `limit` grants of exactly these tests moved, the newest first. Those that moved nothing say nothing, and are left out. */
  lastOf(device: string, tests: readonly TestPlan[], limit: number): number[] {
    const rows = this.#database.all(
      Bytes,
      `SELECT bytes FROM moved JOIN grants USING (token)
       WHERE device = ? AND estimated = 0 AND bytes > 0 AND tests = ? ORDER BY moved.at_ms DESC LIMIT ?`,
      [device, JSON.stringify(tests), limit],
    );
    return rows.map(({ bytes }) => bytes);
  }

  /** Forgets what is older. Returns how many. */
  prune(before_ms: number): number {
    return this.#database.run('DELETE FROM moved WHERE at_ms < ?', [before_ms]);
  }
}
