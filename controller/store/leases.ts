import { z } from 'zod';
import { TestPlan } from '../../broker/contract/messages.ts';
import { jsonColumn } from './columns.ts';
import type { Database } from './database.ts';

const LeaseRow = z.object({
  token: z.int(),
  run: z.string(),
  device: z.string(),
  server: z.string(),
  /** Its host and port when the lease was prepared. */
  endpoint: z.string(),
  nonce: z.string(),
  boot: z.string(),
  lease_ms: z.number(),
  /** False while the run is only on deck. */
  granted: z.int().transform((value) => value !== 0),
  /** The tests of this attempt. */
  tests: jsonColumn(z.array(TestPlan)),
});
export type LeaseRow = z.infer<typeof LeaseRow>;

/** Leases that are prepared or granted, and the counter of their fencing tokens, which outlives them. */
export class Leases {
  readonly #database: Database;
  /** Which transaction saved a lease, by token, until it is known to be on disk. */
  readonly #saved = new Map<number, number>();

  constructor(database: Database) {
    this.#database = database;
  }

  /** The highest token that was ever saved; 0 in a new store. Only grows. */
  lastToken(): number {
    return this.#database.one(z.object({ token: z.int() }), 'SELECT token FROM last_token').token;
  }

  /**
   * Adds the lease, or replaces the one with the same token. It goes to disk in the background: a device on deck says again and again
   * that it is ready, and each time nobody needs to wait. `ensureOnDisk` before its `start` is sent.
   */
  save(lease: LeaseRow): void {
    const { written } = this.#database.deferred(() => {
      this.#database.run(
        `INSERT OR REPLACE INTO leases (token, run, device, server, endpoint, nonce, boot, lease_ms, granted, tests)
         VALUES (@token, @run, @device, @server, @endpoint, @nonce, @boot, @lease_ms, @granted, @tests)`,
        { ...lease, granted: lease.granted ? 1 : 0, tests: JSON.stringify(lease.tests) },
      );
      this.#database.run('UPDATE last_token SET token = max(token, ?)', [lease.token]);
    });
    this.#saved.set(lease.token, written);
    this.#database.onDisk(() => {
      if (this.#saved.get(lease.token) === written) this.#saved.delete(lease.token);
    });
  }

  /** When this returns the lease that was saved last with this token is on disk; it mostly is already. */
  ensureOnDisk(token: number): void {
    this.#database.ensureOnDisk(this.#saved.get(token) ?? 0);
  }

  drop(token: number): void {
    this.#saved.delete(token);
    this.#database.run('DELETE FROM leases WHERE token = ?', [token]);
  }

  /** In order of their tokens. */
  list(): LeaseRow[] {
    return this.#database.all(LeaseRow, 'SELECT * FROM leases ORDER BY token');
  }
}
