import { test as base } from 'vitest';
import { RealFleet } from './real-fleet.ts';

/** Tests with a real fleet of their own, which `make` prepares. Each fails when its fleet leaves anything behind. */
export const fleetTest = (servers: readonly string[] = ['s-1']) =>
  base.extend<{ fleet: RealFleet }>({
    fleet: async ({ onTestFailed }, use) => {
      const fleet = await RealFleet.prepare(servers);
      onTestFailed(() => console.error(fleet.said()));
      await use(fleet);
      await fleet.remove();
    },
  });
