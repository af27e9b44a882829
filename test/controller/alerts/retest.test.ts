import { expect, test } from 'vitest';
import { BUILT_IN } from '../../../controller/config/built-in-alerts.ts';
import { DEFAULT_CHECK } from '../../../controller/config/check-section.ts';
import { AlertFixture } from './alert-fixture.ts';
import { download, MINUTE_MS, NOTHING, rule, T0, unreached, write } from './rules.ts';

const RETEST = rule({ retest: true });
const bad = (token: number) => write(token, [download(1e6)]);
const good = (token: number) => write(token, [download(22e6)]);
const at = (token: number) => T0 + token * MINUTE_MS + 30_000;

/** After two bad runs; `r-confirm` is ordered. */
const awaiting = () => {
  const fixture = new AlertFixture([RETEST]);
  fixture.write(bad(1));
  const { retests } = fixture.evaluate(bad(2));
  for (const retest of retests) fixture.alerts.noteRetest(retest, 'r-confirm');
  return { fixture, retests };
};

test('before it fires one more run is asked for, and nobody is told', () => {
  const { fixture, retests } = awaiting();
  const metric = 'tcp.download.bits_per_second';
  expect(retests).toEqual([{ rule: 'slow', metric, device: 'ap-1', server: 'server-0', run: 'r-2' }]);
  expect(fixture.told).toEqual([]);
  expect(fixture.list()).toMatchObject([
    { state: 'pending', reason: '1 Mbit/s is below 20 Mbit/s in 2 of 3 runs; a confirming run is awaited: r-confirm' },
  ]);
});

test('until the run is ordered, it is only said that one is awaited', () => {
  const fixture = new AlertFixture([RETEST]);
  fixture.write(bad(1), bad(2));
  expect(fixture.list()[0]?.reason).toMatch(/in 2 of 3 runs; a confirming run is awaited$/);
});

test('a bad value confirms it', () => {
  const { fixture } = awaiting();
  expect(fixture.write(bad(3))).toEqual(['firing slow ap-1']);
});

test('a value that is not bad refutes it, and what was bad before is forgotten', () => {
  const { fixture } = awaiting();
  expect(fixture.write(good(3), bad(4))).toEqual([]);
  expect(fixture.list()).toMatchObject([{ reason: '1 Mbit/s is below 20 Mbit/s in 1 of 3 runs' }]);
});

test('a confirming run that ends without a value confirms it as well', () => {
  const { fixture } = awaiting();
  const other = write(3, [], {
    run: 'r-other',
    reached: null,
    end: { outcome: 'skipped', reason: 'offline', time_ms: T0, zeros: [] },
  });
  expect(fixture.write(other, { ...other, run: 'r-confirm' })).toEqual(['firing slow ap-1']);
});

test('without a word for half an hour it fires', () => {
  const { fixture } = awaiting();
  expect(fixture.toldBy(() => fixture.alerts.tick(at(31)))).toEqual([]);
  expect(fixture.toldBy(() => fixture.alerts.tick(at(32)))).toEqual(['firing slow ap-1']);
});

test('a confirming run for what does not wait for one is not noted', () => {
  const { fixture } = awaiting();
  fixture.write(good(3));
  fixture.alerts.noteRetest({ rule: 'slow', device: 'ap-1' }, 'r-late');
  expect(fixture.list()).toEqual([]);
});

test('an alert that fires already asks for nothing', () => {
  const { fixture } = awaiting();
  fixture.write(bad(3));
  expect(fixture.evaluate(bad(4))).toEqual(NOTHING);
});

test('a dead device asks for one confirming run, though its server is suspected each time', () => {
  const serverDown = { ...(BUILT_IN.get('server-down') ?? RETEST), notify: ['noc'] };
  const fixture = new AlertFixture([serverDown, rule({ breaches: 1, of: 1, retest: true })]);
  const other = (token: number) => write(token, [download(50e6)], { device: 'ap-2' });
  fixture.evaluate(unreached(1));
  const { retests } = fixture.evaluate(other(2));
  expect(retests).toMatchObject([{ rule: 'slow', device: 'ap-1' }]);
  for (const retest of retests) fixture.alerts.noteRetest(retest, 'r-confirm');
  expect(fixture.evaluate(unreached(3, { run: 'r-confirm' })).retests).toEqual([]);
  fixture.evaluate(other(4));
  expect(fixture.list()).toMatchObject([{ rule: 'slow', state: 'firing' }]);
});

/** A run to confirm an alert, with only these tests of the check. */
const confirming = (token: number, only: string[], outcome: 'success' | 'failed') =>
  write(token, [], { end: { outcome, reason: null, time_ms: at(token), zeros: [], only } });

test('the end of a confirming run counts when it had all tests of the check, and not when it had some', () => {
  const check = { ...(BUILT_IN.get('check-failed') ?? RETEST), notify: ['noc'] };
  const fixture = new AlertFixture([check]);
  const failed = write(1, [], { end: { outcome: 'failed', reason: null, time_ms: at(1), zeros: [] } });
  const all = DEFAULT_CHECK.tests.map(({ test: name }) => name);
  const some = all.slice(1);
  expect(fixture.write(failed, confirming(2, some, 'failed'), confirming(3, some, 'success'))).toEqual([]);
  expect(fixture.write(confirming(4, all, 'failed'))).toEqual(['firing check-failed ap-1']);
  expect(fixture.write(confirming(5, some, 'success'))).toEqual([]);
  expect(fixture.write(confirming(6, all, 'success'))).toEqual(['resolved check-failed ap-1']);
});

test('of an organization that is gone the end of a confirming run counts as it is', () => {
  const check = { ...(BUILT_IN.get('check-failed') ?? RETEST), notify: ['noc'], breaches: 1, of: 1 };
  const fixture = new AlertFixture([check]);
  fixture.reload({ organizations: new Map() }, T0);
  expect(fixture.write(confirming(1, [], 'failed'))).toEqual(['firing check-failed ap-1']);
});
