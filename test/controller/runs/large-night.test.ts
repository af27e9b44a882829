import { expect, it } from 'vitest';
import { Nights } from '../../../controller/runs/nights.ts';
import { Settlement } from '../../../controller/runs/settlement.ts';
import { worldSettings } from '../../helpers/controller-fixture.ts';
import { ManualClock } from '../../helpers/manual-clock.ts';
import { RecordedLog } from '../../helpers/recorded-log.ts';
import { openStore } from '../store/open-store.ts';

const HOUR_MS = 3_600_000;
const DEVICES = 600;

/** A store with many devices, and who plans their nights for it; the clock begins at midnight. */
const make = () => {
  const store = openStore();
  store.atomically(() => {
    for (let index = 0; index < DEVICES; index += 1) {
      store.devices.add({ device: `ap-${index}`, organization: 'default', tags: [], uplink_group: null }, 'hash');
    }
  });
  const clock = new ManualClock();
  const log = new RecordedLog();
  const submitted: string[] = [];
  const check = { enabled: true, schedule: '0 2 * * *', window_ms: HOUR_MS };
  const settings = worldSettings({ check });
  const checkOf = () => ({ retries: 0, backoff_ms: 1000 });
  const settlement = new Settlement({ store, influx: false, checkOf, random: () => 0.5, log });
  const nights = () =>
    new Nights({
      ...{ settings: () => settings, store, settlement, clock, log },
      submit: (run) => submitted.push(run),
      onPoints: () => {},
      onFatal: (error) => {
        throw error;
      },
    });
  const devices = () => store.runs.open().map(({ device }) => device);
  return { store, clock, submitted, nights, devices };
};

it('a night of many devices is written down in batches, in the order in which it is handed on', () => {
  const { clock, submitted, nights, devices, store } = make();
  nights().start();
  clock.advance(2 * HOUR_MS);
  expect(new Set(devices()).size).toBe(DEVICES);
  expect(submitted).toEqual(store.runs.open().map(({ run }) => run));
});

it('a crash between two batches neither skips nor doubles a device', () => {
  const { clock, submitted, nights, devices } = make();
  const first = nights();
  first.start();
  clock.advance(2 * HOUR_MS - 1);
  first.stop();
  expect(devices()).toEqual([]);

  // Its first look comes in the middle of a turn: what it does later is lost.
  clock.advance(1);
  const crashed = nights();
  crashed.start();
  crashed.stop();
  const before = devices().length;
  expect(before).toBeGreaterThan(0);
  expect(before).toBeLessThan(DEVICES);
  expect(submitted).toHaveLength(before);

  nights().start();
  clock.advance(0);
  expect(devices()).toHaveLength(DEVICES);
  expect(new Set(devices()).size).toBe(DEVICES);
  expect(submitted).toHaveLength(DEVICES);
});
