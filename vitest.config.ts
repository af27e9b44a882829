import { defineConfig } from 'vitest/config';
import { define } from './packaging/build/version.mjs';

/** Tests that measure real time or real traffic, and would disturb each other. */
const TIMED = 'test/**/*.timed.test.ts';

export default defineConfig({
  define,
  test: {
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // Most files wait for servers rather than compute: three at a time suit two cores.
    maxWorkers: 3,
    projects: [
      { extends: true, test: { name: 'parallel', include: ['test/**/*.test.ts'], exclude: [TIMED] } },
      // One file at a time, after everything else.
      {
        extends: true,
        test: {
          name: 'timed',
          include: [TIMED],
          fileParallelism: false,
          globalSetup: 'test/helpers/built-programs.ts',
        },
      },
    ],
    coverage: {
      provider: 'v8',
      reportOnFailure: true,
      include: ['agent/**/*.ts', 'broker/**/*.ts', 'controller/**/*.ts'],
      exclude: ['test/**'],
      thresholds: { lines: 99, functions: 99, statements: 99, branches: 99 },
      reporter: ['text-summary', 'json-summary', 'html'],
    },
  },
});
