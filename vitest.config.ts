import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    coverage: {
      provider: 'v8',
      include: ['agent/**/*.ts', 'broker/**/*.ts', 'controller/**/*.ts'],
      thresholds: { lines: 99, functions: 99, statements: 99, branches: 99 },
      reporter: ['text-summary', 'json-summary', 'html'],
    },
  },
});
