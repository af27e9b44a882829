import type { AlertNotice } from '../alerts/notice.ts';
import type { Database } from './database.ts';

/** Notices on their way to receivers, written in the transaction that stores what they are about. */
export class Notices {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** One for each receiver. To be called inside a transaction. */
  add(receivers: readonly string[], notice: AlertNotice): void {
    const text = JSON.stringify(notice);
    for (const receiver of receivers) {
      this.#database.run('INSERT INTO notices (receiver, notice) VALUES (?, ?)', [receiver, text]);
    }
  }
}
