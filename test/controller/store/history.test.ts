import { expect, it } from 'vitest';
import { openStore } from './open-store.ts';
import { ending, newRun, T0 } from './samples.ts';

it('a run that was never measured is in the history, without measurements', () => {
  const store = openStore();
  store.runs.add([newRun('r-1')]);
  store.results.finish(
    'r-1',
    ending({ outcome: 'skipped', reason: 'device-offline', zeros: [], finished_at_ms: T0 + 1 }),
  );
  const { runs, next } = store.history.page({ since_ms: T0, until_ms: T0 + 2 }, 10);
  expect(runs).toMatchObject([{ run: 'r-1', outcome: 'skipped', measurements: [] }]);
  expect(next).toBeNull();
});
