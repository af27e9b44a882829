import { z } from 'zod';
import type { Database } from './database.ts';
import type { NewRun, Runs } from './runs.ts';

const Row = z.object({ organization: z.string(), night: z.string() });

/** Which night of each organization was planned last: a night is planned once, whatever restarts in between. */
export class Nights {
  readonly #database: Database;
  readonly #runs: Runs;

  constructor(database: Database, runs: Runs) {
    this.#database = database;
    this.#runs = runs;
  }

  /** The key of the last planned night of each organization. */
  history(): Map<string, string> {
    const rows = this.#database.all(Row, 'SELECT organization, night FROM nights');
    return new Map(rows.map(({ organization, night }) => [organization, night]));
  }

  /** Adds the runs of planned nights and notes the nights, in one transaction. Returns the ids of the runs that are new. */
  plan(runs: readonly NewRun[], planned: ReadonlyMap<string, string>): string[] {
    return this.#database.transaction(() => {
      for (const [organization, night] of planned) {
        this.#database.run('INSERT OR REPLACE INTO nights (organization, night) VALUES (?, ?)', [organization, night]);
      }
      return this.#runs.add(runs);
    });
  }
}
