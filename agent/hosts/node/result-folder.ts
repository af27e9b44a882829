import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Log } from '../../../broker/log.ts';
import type { StoredResult } from '../../core/io.ts';
import { readStored } from '../../core/result.ts';

/** Results that nobody accepted yet, one file a run, in a folder on RAM disk. There is nothing to flush: they need not outlive a reboot. */
export class ResultFolder {
  readonly #folder: string;
  readonly #log: Log;

  /** `folder` is made by `load`. */
  constructor(folder: string, log: Log) {
    this.#folder = folder;
    this.#log = log;
  }

  /** Reads what an earlier start left, oldest first. A file that cannot be read is removed, with a warning. */
  load(): StoredResult[] {
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    const files = readdirSync(this.#folder).map((name) => join(this.#folder, name));
    const aged = files.map((path) => ({ path, changed: statSync(path).mtimeMs }));
    return aged.sort((a, b) => a.changed - b.changed).flatMap(({ path }) => this.#read(path));
  }

  /** Writes a result, whole or not at all. A full disk is logged: the result is still in memory. */
  store(result: StoredResult): void {
    const path = this.#path(result.run);
    try {
      writeFileSync(`${path}.tmp`, JSON.stringify(result), { mode: 0o600 });
      renameSync(`${path}.tmp`, path);
    } catch (error) {
      this.#log.warn({ path, error: String(error) }, 'result not written: a restart of the agent would lose it');
      rmSync(`${path}.tmp`, { force: true });
    }
  }

  /** Removes the result of a run, if there is one. */
  forget(run: string): void {
    rmSync(this.#path(run), { force: true });
  }

  #path(run: string): string {
    return join(this.#folder, `${run}.json`);
  }

  #read(path: string): StoredResult[] {
    try {
      const result = path.endsWith('.json') ? readStored(JSON.parse(readFileSync(path, 'utf8'))) : null;
      if (result !== null) return [result];
    } catch {
      // reported below
    }
    this.#log.warn({ path }, 'result file dropped: it is not a whole result');
    rmSync(path, { force: true, recursive: true });
    return [];
  }
}
