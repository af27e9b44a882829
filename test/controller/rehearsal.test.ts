import { expect, test } from 'vitest';
import { rehearse } from '../../controller/rehearsal.ts';
import { openStore } from './store/open-store.ts';

test('a whole run is gone through, and the store is as it was', () => {
  const store = openStore();
  const played = rehearse(store).map(({ type }) => type);
  expect([...new Set(played)].sort()).toEqual(
    ['drop-lease', 'granted', 'phase', 'prepare', 'released', 'save-lease', 'slot', 'start'].sort(),
  );
  expect([store.runs.open(), store.leases.list(), store.leases.lastToken()]).toEqual([[], [], 0]);
});
