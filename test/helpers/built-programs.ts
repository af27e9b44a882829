import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { buildAll } from '../../packaging/build/build.mjs';
import { root } from '../../packaging/root.mjs';

declare module 'vitest' {
  interface ProvidedContext {
    /** The folder with perfleet.js and agent.js as they are shipped. */
    programs: string;
  }
}

/** Builds both programs once for a run of the tests, in a folder that is gone afterwards. */
export default (project: TestProject): (() => void) => {
  const folder = mkdtempSync(join(tmpdir(), 'perfleet-programs-'));
  buildAll(folder);
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules')); // perfleet.js needs the package libsql
  project.provide('programs', folder);
  return () => rmSync(folder, { recursive: true });
};
