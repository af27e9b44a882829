import { existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Makes a folder where routers have /tmp: in memory, if Linux mounts that at `memory`, else in the folder for temporary files. */
export const ramFolder = (prefix: string, memory = '/dev/shm'): string =>
  mkdtempSync(join(existsSync(memory) ? memory : tmpdir(), prefix));
