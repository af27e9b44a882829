import { gunzipSync, gzipSync } from 'node:zlib';
import { z } from 'zod';
import { TestOutput } from '../../broker/contract/messages.ts';
import type { Database } from './database.ts';

/** A result is stored while others wait: 3 takes half the time of zlib's default of 6, for 12% more bytes. */
const LEVEL = 3;

const RawRow = z.object({
  token: z.int(),
  /** What libsql 0.5 makes of a blob in a list of rows; in a single row it would be a Buffer. */
  outputs: z
    .instanceof(ArrayBuffer)
    .transform((outputs): unknown => JSON.parse(gunzipSync(outputs).toString()))
    .pipe(z.array(TestOutput)),
});
const Total = z.object({ bytes: z.number() });
const Oldest = z.object({ id: z.int(), stored_at_ms: z.number(), bytes: z.number() });

export type RawResult = z.infer<typeof RawRow>;

/** iperf3's own output, compressed, kept for a while so that a doubtful figure can be looked into. */
export class RawResults {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** To be called inside a transaction. */
  add(result: { run: string; token: number; at_ms: number; outputs: TestOutput[] }): void {
    const outputs = gzipSync(JSON.stringify(result.outputs), { level: LEVEL });
    this.#database.run('INSERT INTO raw_results (run, token, stored_at_ms, bytes, outputs) VALUES (?, ?, ?, ?, ?)', [
      result.run,
      result.token,
      result.at_ms,
      outputs.length,
      outputs,
    ]);
  }

  /** What is still kept of a run, one for each of its attempts. */
  of(run: string): RawResult[] {
    return this.#database.all(RawRow, 'SELECT token, outputs FROM raw_results WHERE run = ? ORDER BY token', [run]);
  }

  /**
   * Deletes what is older than `before_ms`, and the oldest as long as there are more than `max_bytes` (compressed): at most `limit` of them.
   * Returns how many.
   */
  prune({ before_ms, max_bytes, limit }: { before_ms: number; max_bytes: number; limit: number }): number {
    const { bytes } = this.#database.one(Total, 'SELECT coalesce(sum(bytes), 0) AS bytes FROM raw_results');
    const oldest = 'SELECT id, stored_at_ms, bytes FROM raw_results ORDER BY stored_at_ms, id LIMIT ?';
    let left = bytes;
    const gone: number[] = [];
    for (const row of this.#database.all(Oldest, oldest, [limit])) {
      if (row.stored_at_ms >= before_ms && left <= max_bytes) break;
      left -= row.bytes;
      gone.push(row.id);
    }
    return this.#database.run('DELETE FROM raw_results WHERE id IN (SELECT value FROM json_each(?))', [
      JSON.stringify(gone),
    ]);
  }
}
