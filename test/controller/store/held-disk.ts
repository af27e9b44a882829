import { fdatasync, fdatasyncSync } from 'node:fs';
import type { Disk } from '../../../controller/store/wal-sync.ts';

/** The real disk, except that its work beside the event loop begins when a test says so, and that it fails when it says so. */
export class HeldDisk implements Disk {
  readonly #held: (() => void)[] = [];
  broken = false;
  /** How often somebody waited. */
  waits = 0;
  /** How often it was asked to work beside the event loop, and has done so. */
  asked = 0;
  turns = 0;

  syncNow = (file: number): void => {
    this.waits += 1;
    if (this.broken) throw this.#error();
    fdatasyncSync(file);
  };

  sync = (file: number, done: (error: Error | null) => void): void => {
    this.asked += 1;
    this.#held.push(() =>
      fdatasync(file, (real) => {
        this.turns += 1;
        done(this.broken ? this.#error() : real);
      }),
    );
  };

  /** What it was asked for so far begins. */
  letGo(): void {
    for (const begin of this.#held.splice(0)) begin();
  }

  #error(): Error {
    return new Error('EIO: i/o error, fdatasync');
  }
}
