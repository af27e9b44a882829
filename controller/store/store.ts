import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { AlertHistory } from './alert-history.ts';
import { AlertStates } from './alert-states.ts';
import { Database } from './database.ts';
import { Devices } from './devices.ts';
import { asStoreError } from './errors.ts';
import { History } from './history.ts';
import { KnownReceivers } from './known-receivers.ts';
import { Leases } from './leases.ts';
import { Moved } from './moved.ts';
import { Nights } from './nights.ts';
import { Notices } from './notices.ts';
import { Outbox } from './outbox.ts';
import { RawResults } from './raw-results.ts';
import { Records } from './records.ts';
import { Results } from './results.ts';
import { Runs } from './runs.ts';
import { migrate } from './schema.ts';
import { Suppressions } from './suppressions.ts';
import type { Disk } from './wal-sync.ts';

/**
 * Everything the controller must not forget, in one SQLite file that one controller holds at a time. When a method
 * returns, what it wrote is on disk, unless it is `deferred()` or says so; when it throws StoreError, it wrote nothing.
 */
export class Store {
  readonly devices: Devices;
  readonly leases: Leases;
  readonly runs: Runs;
  readonly nights: Nights;
  readonly moved: Moved;
  readonly results: Results;
  readonly raw: RawResults;
  readonly records: Records;
  readonly history: History;
  readonly outbox: Outbox;
  readonly notices: Notices;
  readonly receivers: KnownReceivers;
  readonly alertStates: AlertStates;
  readonly alertHistory: AlertHistory;
  readonly suppressions: Suppressions;
  readonly #database: Database;

  private constructor(database: Database) {
    this.#database = database;
    this.devices = new Devices(database);
    this.leases = new Leases(database);
    this.runs = new Runs(database);
    this.nights = new Nights(database);
    this.moved = new Moved(database);
    this.raw = new RawResults(database);
    this.records = new Records(database);
    this.history = new History(database);
    this.outbox = new Outbox(database);
    this.notices = new Notices(database);
    this.receivers = new KnownReceivers(database);
    this.alertStates = new AlertStates(database);
    this.alertHistory = new AlertHistory(database);
    this.suppressions = new Suppressions(database);
    this.results = new Results(database, { runs: this.runs, moved: this.moved, raw: this.raw, outbox: this.outbox });
  }

  /** Opens `perfleet.db` in `folder`, creates both when they are missing, and brings the file to the newest version. */
  static open(folder: string, disk?: Disk): Store {
    const file = join(folder, 'perfleet.db');
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
    } catch (error) {
      throw asStoreError(error, file);
    }
    const database = Database.open(file, disk);
    try {
      migrate(database);
    } catch (error) {
      database.close();
      throw error;
    }
    return new Store(database);
  }

  /** Everything that `work` writes is one transaction: all of it is on disk when this returns, or nothing. */
  atomically<T>(work: () => T): T {
    return this.#database.transaction(work);
  }

  /** As `atomically`, but it does not wait for the disk: `onDisk` does. */
  deferred<T>(work: () => T): T {
    return this.#database.deferred(work).result;
  }

  /**
   * Calls `then` once all that was written so far is on disk; other work goes on until then. Never when the disk fails: then every
   * method throws from now on.
   */
  onDisk(then: () => void): void {
    this.#database.onDisk(then);
  }

  /** Waits until all is on disk, and calls whoever waits for that. */
  flush(): void {
    this.#database.flush();
  }

  close(): void {
    this.#database.close();
  }
}
