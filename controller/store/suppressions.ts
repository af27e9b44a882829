import { z } from 'zod';
import { LATEST_END_MS, SCOPES, type Suppression, type SuppressionScope, scopeOf } from '../schedule/suppression.ts';
import type { Database } from './database.ts';

const Row = z
  .object({
    scope: z.enum(SCOPES),
    name: z.string(),
    // An end that no clock can show is none: it must not keep the controller from starting.
    until_ms: z.number().max(LATEST_END_MS).nullable().catch(null),
    reason: z.string().nullable(),
    since_ms: z.number(),
  })
  .transform(({ scope, name, ...rest }): Suppression => ({ ...rest, what: scopeOf(scope, name) }));

const nameIn = (what: SuppressionScope): string => (what.scope === 'fleet' ? '' : what.name);

/** The kill switch, as it was set: it survives restarts. Whether an entry is in force is a question of the time. */
export class Suppressions {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** The oldest first. */
  list(): Suppression[] {
    return this.#database.all(Row, 'SELECT scope, name, until_ms, reason, since_ms FROM suppressions ORDER BY id');
  }

  /** Adds it, or replaces the one of the same scope. */
  put({ what, until_ms, reason, since_ms }: Suppression): void {
    this.#database.run(
      'INSERT OR REPLACE INTO suppressions (scope, name, until_ms, reason, since_ms) VALUES (?, ?, ?, ?, ?)',
      [what.scope, nameIn(what), until_ms, reason, since_ms],
    );
  }

  remove(what: SuppressionScope): void {
    this.#database.run('DELETE FROM suppressions WHERE scope = ? AND name = ?', [what.scope, nameIn(what)]);
  }

  /** Forgets those that ended before. */
  prune(before_ms: number): void {
    this.#database.run('DELETE FROM suppressions WHERE until_ms < ?', [before_ms]);
  }
}
