type Action = () => void;

/** A transaction: how it is undone, and who waits until it is on disk. */
export interface Commit {
  readonly undo: Action[];
  readonly waiting: Action[];
}

/** Values of which the journal knows how they were before. */
export class Table<K, V> {
  readonly rows = new Map<K, V>();
  readonly #journal: Journal;

  constructor(journal: Journal) {
    this.#journal = journal;
  }

  get(key: K): V | undefined {
    return this.rows.get(key);
  }

  set(key: K, value: V): void {
    this.#remember(key);
    this.rows.set(key, value);
  }

  delete(key: K): void {
    this.#remember(key);
    this.rows.delete(key);
  }

  #remember(key: K): void {
    const before = this.rows.get(key);
    this.#journal.changes(() => {
      if (before === undefined) this.rows.delete(key);
      else this.rows.set(key, before);
    });
  }
}

/**
 * The transactions of controller/store/database.ts, and what they become when the machine loses its power. The log is written front to back: of
 * the deferred transactions that were not brought to disk the last ones are gone. A process that dies loses none.
 */
export class Journal {
  #open: Commit | null = null;
  readonly #written: Action[] = [];
  #unsynced: Commit[] = [];

  /** All of `work`, or nothing of it when it throws. On disk at once, with all that was deferred before. */
  atomically(work: Action): void {
    this.#commit(work, true);
  }

  /** The same, but it does not wait for the disk. */
  deferred(work: Action): Commit {
    return this.#commit(work, false);
  }

  /** A row is about to change. Outside of a transaction that is a durable one by itself. */
  changes(back: Action): void {
    if (this.#open === null) this.sync();
    else this.#open.undo.push(back);
  }

  /** Does it when the transaction under way has come to its end. */
  whenWritten(then: Action): void {
    if (this.#open === null) then();
    else this.#written.push(then);
  }

  /** Does it when all that was written so far is there to stay. */
  whenOnDisk(then: Action): void {
    const last = this.#open ?? this.#unsynced.at(-1);
    if (last === undefined) then();
    else last.waiting.push(then);
  }

  ensureOnDisk(commit: Commit): void {
    if (this.#unsynced.includes(commit)) this.sync();
  }

  sync(): void {
    for (const commit of this.#unsynced.splice(0)) for (const then of commit.waiting) then();
  }

  /** Of what was not on disk the first `share`, 0 to 1, happens to be there. */
  losePower(share: number): void {
    const lost = this.#unsynced.splice(Math.round(share * this.#unsynced.length));
    this.sync();
    for (const commit of lost.reverse()) undo(commit);
  }

  /** Within another transaction it is a part of that one. */
  #commit(work: Action, isDurable: boolean): Commit {
    if (this.#open !== null) {
      work();
      return this.#open;
    }
    const commit: Commit = { undo: [], waiting: [] };
    this.#open = commit;
    try {
      work();
    } catch (error) {
      undo(commit);
      this.#written.length = 0;
      throw error;
    } finally {
      this.#open = null;
    }
    this.#unsynced.push(commit);
    if (isDurable) this.sync();
    for (const then of this.#written.splice(0)) then();
    return commit;
  }
}

const undo = (commit: Commit): void => {
  for (const back of commit.undo.reverse()) back();
};
