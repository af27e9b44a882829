import { closeSync, fdatasync, fdatasyncSync, fsyncSync, openSync } from 'node:fs';
import { dirname } from 'node:path';

/** What waits for the disk: in this thread, or in another one. */
export interface Disk {
  syncNow: (file: number) => void;
  sync: (file: number, done: (error: Error | null) => void) => void;
}

const REAL_DISK: Disk = { syncNow: fdatasyncSync, sync: fdatasync };

/**
 * Brings SQLite's write-ahead log to disk in another thread, for commits that did not wait for it: the event loop goes on, and all
 * commits of that time share one wait. The log is written front to back, so what is on disk is always everything up to some commit.
 *
 * `written` counts commits, `onDisk` how many of them are safe. When the disk fails once, nothing more is believed of it: what it did
 * not write it may have forgotten, and say yes the next time.
 */
export class WalSync {
  readonly #file: number;
  readonly #disk: Disk;
  #waiting: { until: number; then: () => void }[] = [];
  #written = 0;
  #onDisk = 0;
  #underWay = false;
  #closed = false;
  #error: Error | null = null;

  /** Opens `log`, which SQLite has made. It takes no locks on that file, so closing ours drops none. */
  constructor(log: string, disk: Disk = REAL_DISK) {
    this.#file = openSync(log, 'r+');
    this.#disk = disk;
    const folder = openSync(dirname(log), 'r');
    try {
      fsyncSync(folder);
    } finally {
      closeSync(folder);
    }
  }

  /** Why nothing can be believed any more; null while all is well. */
  get error(): Error | null {
    return this.#error;
  }

  /** How many commits did not wait for the disk: the number of the latest one. */
  get written(): number {
    return this.#written;
  }

  /** A commit that did not wait was made. */
  wrote(): void {
    this.#written += 1;
  }

  /** Waits until commit number `until` is on disk, unless it is. Throws when the disk fails. */
  now(until: number): void {
    if (this.#error !== null) throw this.#error;
    if (until <= this.#onDisk) return;
    const reached = this.#written;
    try {
      this.#disk.syncNow(this.#file);
    } catch (error) {
      this.#fail(error as Error);
      throw error;
    }
    this.#onDisk = reached;
  }

  /** Calls `then` once all that was written so far is on disk, not before this returns; never when the disk fails. */
  soon(then: () => void): void {
    this.#waiting.push({ until: this.#written, then });
    this.#begin();
  }

  /** Calls who waits for what is on disk by now. */
  tell(): void {
    const told = this.#waiting.filter(({ until }) => until <= this.#onDisk);
    this.#waiting = this.#waiting.slice(told.length);
    for (const { then } of told) then();
  }

  /** Who waits is told nothing any more. */
  close(): void {
    if (this.#closed) return;
    this.#waiting = [];
    this.#closed = true;
    if (!this.#underWay) closeSync(this.#file);
  }

  #begin(): void {
    if (this.#underWay || this.#waiting.length === 0 || this.#error !== null) return;
    this.#underWay = true;
    const reached = this.#written;
    this.#disk.sync(this.#file, (error) => {
      this.#underWay = false;
      if (this.#closed) closeSync(this.#file);
      if (error !== null) this.#fail(error);
      if (this.#error !== null) return;
      this.#onDisk = Math.max(this.#onDisk, reached);
      this.tell();
      this.#begin();
    });
  }

  #fail(error: Error): void {
    this.#error ??= error;
    this.#waiting = [];
  }
}
