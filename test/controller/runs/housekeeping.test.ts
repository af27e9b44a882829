import { expect, it, onTestFinished } from 'vitest';
import { DEFAULT_RETENTION } from '../../../controller/config/retention-section.ts';
import { Housekeeping } from '../../../controller/runs/housekeeping.ts';
import { Settlement } from '../../../controller/runs/settlement.ts';
import { ManualClock } from '../../helpers/manual-clock.ts';
import { RecordedLog } from '../../helpers/recorded-log.ts';
import { openStore } from '../store/open-store.ts';
import { ending, grant, newRun, resultWrite } from '../store/samples.ts';

const DAY_MS = 86_400_000;

const keeping = () => {
  const store = openStore();
  const clock = new ManualClock();
  const failures: Error[] = [];
  const checkOf = () => ({ retries: 0, backoff_ms: 30_000 });
  const settlement = new Settlement({ store, influx: false, checkOf, random: () => 0.5, log: new RecordedLog() });
  const onFatal = (error: Error) => failures.push(error);
  const house = new Housekeeping({
    retention: () => DEFAULT_RETENTION,
    store,
    settlement,
    clock,
    onFatal,
    onPoints: () => {},
  });
  onTestFinished(() => house.stop());
  onTestFinished(() => expect(failures).toEqual([]));
  return { store, clock, house };
};

it('what devices have moved is kept for 62 days, and for no longer', () => {
  const { store, clock, house } = keeping();
  const begin = clock.wall();
  store.moved.note({ token: 1, run: 'r-1', device: 'ap-1', at_ms: begin, bytes: 5 });
  house.start();
  for (let day = 0; day < 62; day += 1) clock.advance(DAY_MS);
  expect(store.moved.since('ap-1', 0)).toBe(5);
  clock.advance(600_000);
  expect(store.moved.since('ap-1', 0)).toBe(0);
});

it('a suppression that has ended is kept for a day, in case the clock comes back', () => {
  const { store, clock, house } = keeping();
  const until_ms = clock.wall();
  store.suppressions.put({ what: { scope: 'fleet' }, until_ms, reason: null, since_ms: 0 });
  house.start();
  clock.advance(DAY_MS);
  expect(store.suppressions.list()).toHaveLength(1);
  clock.advance(600_000);
  expect(store.suppressions.list()).toEqual([]);
});

it('a run whose result has not come for a day is lost, and keeps the bytes that it was to move', () => {
  const { store, clock, house } = keeping();
  const at_ms = clock.wall();
  store.runs.add([newRun('r-1', { requested_at_ms: at_ms })]);
  store.runs.noteGrant(grant('r-1', 1, { at_ms }));
  store.moved.note({ token: 1, run: 'r-1', device: 'ap-12', at_ms, bytes: 5 });
  house.start();
  clock.advance(DAY_MS - 600_000);
  expect(store.records.get('r-1')?.outcome).toBeNull();
  clock.advance(600_000);
  expect(store.records.get('r-1')).toMatchObject({ outcome: 'lost', reason: 'no-result' });
  expect(store.moved.since('ap-12', 0)).toBe(5);
});

it('runs and raw output that are older than the configuration says go a few at a time', () => {
  const { store, clock, house } = keeping();
  const ended_ms = clock.wall();
  store.atomically(() => {
    for (let token = 1; token <= 450; token += 1) {
      store.runs.add([newRun(`r-${token}`)]);
      const change = { kind: 'final', ending: ending({ finished_at_ms: ended_ms }) } as const;
      store.results.store(resultWrite(`r-${token}`, token, { at_ms: ended_ms, change }));
    }
  });
  const raw = () => store.records.list().filter(({ run }) => store.raw.of(run).length > 0).length;
  clock.advance(30 * DAY_MS + 1);
  house.start();
  expect([store.records.list().length, raw()]).toEqual([450, 250]);
  clock.advance(1000);
  expect(raw()).toBe(50);
  clock.advance(1000);
  expect([store.records.list().length, raw()]).toEqual([450, 0]);
  clock.advance(370 * DAY_MS);
  expect(store.records.list().length).toBeLessThanOrEqual(250);
  clock.advance(2000);
  expect(store.records.list()).toEqual([]);
});

it('alerts are seen to every ten minutes, and each second while there are more', () => {
  const { store, clock, house: without } = keeping();
  without.stop();
  const ticks: number[] = [];
  const notices: number[] = [];
  const house = new Housekeeping({
    store,
    settlement: new Settlement({
      store,
      influx: false,
      checkOf: () => ({ retries: 0, backoff_ms: 1 }),
      random: () => 0,
      log: new RecordedLog(),
    }),
    clock,
    alerts: { tick: (now_ms) => ({ notices: ticks.push(now_ms), retests: [], more: ticks.length < 3 }) },
    onAlerts: (outcome) => notices.push(outcome.notices),
    onFatal: (error) => expect.fail(error.message),
    onPoints: () => {},
    retention: () => DEFAULT_RETENTION,
  });
  onTestFinished(() => house.stop());
  const begin = clock.wall();
  house.start();
  clock.advance(602_000);
  expect(ticks.map((at_ms) => at_ms - begin)).toEqual([0, 1000, 2000, 602_000]);
  expect(notices).toEqual([1, 2, 3, 4]);
  house.start();
  clock.advance(600_000);
  expect(ticks).toHaveLength(6);
});
