import { z } from 'zod';
import type { Database } from './database.ts';

const Row = z.object({ receiver: z.string(), place: z.string() });

/** The receivers of the configuration that was in force last: their names, and what tells where each is reached. */
export class KnownReceivers {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Places by name, in the order of the names. */
  all(): Map<string, string> {
    const rows = this.#database.all(Row, 'SELECT receiver, place FROM receivers ORDER BY receiver');
    return new Map(rows.map(({ receiver, place }) => [receiver, place]));
  }

  replace(places: ReadonlyMap<string, string>): void {
    this.#database.transaction(() => {
      this.#database.run('DELETE FROM receivers');
      for (const row of places) this.#database.run('INSERT INTO receivers (receiver, place) VALUES (?, ?)', row);
    });
  }
}
