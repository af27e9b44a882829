import type { Room, StoredResult } from '../../core/io.ts';
import { readStored } from '../../core/result.ts';
import { writePrivate } from './shell.ts';

/** Bounds of what is kept: it lies in RAM twice, here and in a file. */
const MOST_RESULTS = 16;
const MOST_BYTES = 1048576;

/** Of the memory that is available this part may hold results. */
const SHARE = 16;

/** Results that nobody accepted yet, one file a run, in RAM: nothing is written to flash. */
export interface Results {
  load: () => StoredResult[];
  store: (result: StoredResult) => void;
  forget: (run: string) => void;
}

/** How much may be kept now, as /proc/meminfo in `text` says. */
export const roomIn = (text: string): Room => {
  const available = match(text, /MemAvailable: *([0-9]+) kB/);
  const share = available == null ? MOST_BYTES : int((1024 * int(available[1])) / SHARE);
  return { results: MOST_RESULTS, bytes: min(MOST_BYTES, share) };
};

const readResult = (path: string): StoredResult | null => {
  try {
    return readStored(json(fs.readfile(path) ?? ''));
  } catch (_) {
    return null;
  }
};

/** The results in `folder`, which is made. */
export const openResults = (folder: string, warnOf: (text: string) => void): Results => {
  const pathOf = (run: string): string => `${folder}/${run}.json`;
  fs.mkdir(folder, 448);
  /** Oldest first; a file that cannot be read is removed. */
  const load = (): StoredResult[] => {
    const paths = map(fs.lsdir(folder) ?? [], (name) => `${folder}/${name}`);
    const aged = map(paths, (path) => ({ path, changed: fs.stat(path)?.mtime ?? 0 }));
    const results = map(
      sort(aged, (a, b) => a.changed - b.changed),
      (file) => {
        const result = readResult(file.path);
        // It may have been written whole, and not been renamed.
        if (result != null && fs.rename(file.path, pathOf(result.run))) return result;
        warnOf(`result file ${file.path} dropped: it is not a whole result`);
        fs.unlink(file.path);
        return null;
      },
    );
    return filter(results, (result) => result != null) as StoredResult[];
  };
  /** Whole or not at all. */
  const store = (result: StoredResult): void => {
    const path = pathOf(result.run);
    if (writePrivate(`${path}.tmp`, sprintf('%J', result)) && fs.rename(`${path}.tmp`, path)) return;
    fs.unlink(`${path}.tmp`);
    warnOf(`result ${path} not written: a restart of the agent would lose it`);
  };
  const forget = (run: string): void => {
    fs.unlink(pathOf(run));
  };
  return { load, store, forget };
};
