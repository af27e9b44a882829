import fc from 'fast-check';
import { expect, test } from 'vitest';
import { medianOf } from '../../../controller/alerts/median.ts';
import { type Baseline, Usual } from '../../../controller/alerts/usual.ts';
import type { Measurement } from '../../../controller/results/measurement.ts';
import type { Store } from '../../../controller/store/store.ts';
import { storeRun } from '../../helpers/stored-run.ts';
import { openStore } from '../store/open-store.ts';
import { DAY_MS, download, T0 } from './rules.ts';

const WEEK: Baseline = {
  metric: { protocol: 'tcp', direction: 'download' },
  field: 'bits_per_second',
  over_ms: 7 * DAY_MS,
};
const RTT: Baseline = { ...WEEK, field: 'rtt_ms' };

/** A store, and medians of what is in it. `reads` counts how often its history was read. */
class Measured {
  readonly store: Store = openStore();
  reads = 0;
  usual = this.start();
  #token = 0;

  start(most?: number): Usual {
    const { alertHistory, runs } = this.store;
    const values: typeof alertHistory.values = (...asked) => {
      this.reads++;
      return alertHistory.values(...asked);
    };
    this.usual = new Usual({ values }, () => runs.prunedBefore_ms, most);
    return this.usual;
  }

  run(device: string, at_ms: number, ...measurements: Measurement[]): void {
    const stored = storeRun(this.store, { device, token: ++this.#token, at_ms }, measurements);
    this.usual.add({ device, measurements: stored });
  }

  /** As the store says it. */
  stored(device: string, { metric, field, over_ms }: Baseline, before_ms: number): number | null {
    const values = this.store.alertHistory.values(device, metric, field, before_ms - over_ms);
    return medianOf(values.filter(({ time_ms }) => time_ms < before_ms).map(({ value }) => value));
  }
}

const upload: Measurement = { ...download(1e9), test: 'tcp-upload', direction: 'upload' };
const udp: Measurement = { ...download(1e3), test: 'udp-download', protocol: 'udp' };

test('whatever comes in whatever order, also after a restart, a median is that of what is stored', () => {
  const measured = new Measured();
  const devices = fc.constantFrom('ap-1', 'ap-2');
  const hours = fc.integer({ min: 0, max: 24 * 20 });
  const figures = fc.record({ rate: fc.integer({ min: 0, max: 9 }), rtt: fc.option(fc.integer({ min: 1, max: 9 })) });
  const step = fc.oneof(
    { weight: 4, arbitrary: fc.record({ device: devices, hours, figures: fc.array(figures, { maxLength: 3 }) }) },
    { weight: 4, arbitrary: fc.record({ device: devices, hours, baseline: fc.constantFrom(WEEK, RTT) }) },
    { weight: 1, arbitrary: fc.constantFrom('restart', 'forget') },
  );
  fc.assert(
    fc.property(fc.array(step, { minLength: 30, maxLength: 60 }), fc.integer({ min: 0, max: 60 }), (steps, most) => {
      measured.start(most);
      for (const one of steps) {
        if (one === 'restart') measured.start(most);
        else if (one === 'forget') measured.usual.forget('ap-1');
        else if ('figures' in one) {
          const list = one.figures.map(({ rate, rtt }) => download(rate, rtt === null ? {} : { rtt_ms: rtt }));
          measured.run(one.device, T0 + one.hours * 3_600_000, upload, ...list, udp);
        } else {
          const before_ms = T0 + one.hours * 3_600_000 + 1500;
          const median = measured.usual.median(one.device, one.baseline, before_ms);
          expect(median).toBe(measured.stored(one.device, one.baseline, before_ms));
        }
      }
    }),
    { numRuns: 25 },
  );
});

const day = (index: number): number => T0 + index * DAY_MS;

test('the history is read once for each figure, and again only for what came late', () => {
  const measured = new Measured();
  for (let index = 0; index < 30; index++) {
    measured.run('ap-1', day(index), download(index, { rtt_ms: index }));
    const [least, middle] = [index < 5 ? null : (index - 1) / 2, index - 4];
    expect(measured.usual.median('ap-1', WEEK, day(index))).toBe(index < 7 ? least : middle);
    measured.usual.median('ap-1', RTT, day(index));
  }
  expect(measured.reads).toBe(2);
  expect(measured.usual.median('ap-1', WEEK, day(20))).toBe(16);
  expect(measured.reads).toBe(3);
});

test('what was pruned from the store is in no median', () => {
  const measured = new Measured();
  for (let index = 0; index < 12; index++) measured.run('ap-1', day(index), download(index));
  expect(measured.usual.median('ap-1', WEEK, day(12))).toBe(8);
  measured.store.runs.prune(day(7), 100);
  expect(measured.usual.median('ap-1', WEEK, day(12))).toBe(9);
  measured.store.runs.prune(day(8), 100);
  expect(measured.usual.median('ap-1', WEEK, day(12))).toBe(null);
  expect(measured.reads).toBe(3);
});

test('what is too much to be remembered is read each time, until a device was not measured for so long', () => {
  const measured = new Measured();
  for (const name of ['ap-1', 'ap-2'])
    for (let index = 0; index < 7; index++) measured.run(name, day(index), download(index));
  measured.start(10);
  const ask = (name: string, index: number) => measured.usual.median(name, WEEK, day(index));
  expect([ask('ap-1', 7), ask('ap-2', 7), ask('ap-1', 7), ask('ap-2', 7)]).toEqual([3, 3, 3, 3]);
  expect(measured.reads).toBe(3);
  for (let index = 7; index < 16; index++) measured.run('ap-2', day(index), download(index));
  expect([ask('ap-2', 16), ask('ap-2', 16)]).toEqual([12, 12]);
  expect(measured.reads).toBe(4);
});
