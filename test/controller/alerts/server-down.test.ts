import { expect, test } from 'vitest';
import { reachedBy } from '../../../controller/alerts/reached.ts';
import { BUILT_IN, EVERYTHING } from '../../../controller/config/built-in-alerts.ts';
import type { AlertSettings } from '../../../controller/config/settings.ts';
import { AlertFixture } from './alert-fixture.ts';
import { download, MINUTE_MS, rule, T0, unreached, write } from './rules.ts';

const builtIn = (name: string): AlertSettings => ({ ...(BUILT_IN.get(name) ?? rule()), notify: ['noc'] });
const serverDown = builtIn('server-down');
const checkFailed: AlertSettings = { ...builtIn('check-failed'), breaches: 1, of: 1 };
const RULES = [serverDown, checkFailed, rule({ breaches: 1, of: 1 })];

const failing = (token: number, device: string) => unreached(token, { device });
const fine = (token: number, device: string) => write(token, [download(30e6)], { device });
const at = (token: number) => T0 + token * MINUTE_MS + 30_000;

test('when one device after another can not reach a server, one alert for the server fires, and none for the devices', () => {
  const fixture = new AlertFixture(RULES);
  expect(fixture.write(failing(1, 'ap-1'), failing(2, 'ap-2'))).toEqual([]);
  const shown = fixture.list().map(({ rule: name, subject, reason }) => `${subject.name} ${name}: ${reason}`);
  expect(shown.toSorted()).toEqual([
    'ap-1 check-failed: the run failed: unreachable; server-0 may be down',
    'ap-1 slow: 0 bit/s is below 20 Mbit/s; server-0 may be down',
    'ap-2 check-failed: the run failed: unreachable; server-0 may be down',
    'ap-2 slow: 0 bit/s is below 20 Mbit/s; server-0 may be down',
    'server-0 server-down: ap-1 and ap-2, one after another, could not reach server-0; it takes 3',
  ]);
  expect(fixture.write(failing(3, 'ap-3'), failing(4, 'ap-4'))).toEqual(['firing server-down server-0']);
  expect(fixture.told[0]).toMatchObject({
    severity: 'critical',
    organization: null,
    server: 'server-0',
    metric: 'run.success',
    value: 0,
    reason: 'ap-1, ap-2 and ap-3, one after another, could not reach server-0',
  });
});

test('while the server is down no device alert is told, however long; after it, those that still fail are', () => {
  const fixture = new AlertFixture(RULES);
  fixture.write(failing(1, 'ap-1'), failing(2, 'ap-2'), failing(3, 'ap-3'));
  for (const token of [40, 80, 120]) {
    expect(fixture.write(failing(token, 'ap-1'))).toEqual([]);
    expect(fixture.toldBy(() => fixture.alerts.tick(at(token + 35)))).toEqual([]);
  }
  expect(fixture.list()[0]?.reason).toBe('0 bit/s is below 20 Mbit/s; nobody is told, as server-0 is down');
  expect(fixture.write(fine(130, 'ap-4'))).toEqual(['resolved server-down server-0']);
  expect(fixture.told.at(-1)).toMatchObject({ reason: 'ap-4 reached server-0', value: 1 });
  const isOver = '0 bit/s is below 20 Mbit/s; server-0 was down, the next value decides';
  expect(fixture.list()[0]?.reason).toBe(isOver);
  expect(fixture.alerts.reading.explain('ap-1')?.find(({ rule: name }) => name === 'slow')?.reason).toBe(isOver);
  expect(fixture.write(fine(131, 'ap-2'))).toEqual([]);
  expect(fixture.write(write(132, [download(1e6)], { device: 'ap-1' }))).toEqual(['firing slow ap-1']);
  expect(fixture.list().map(({ rule: name, subject, state }) => `${subject.name} ${name} ${state}`)).toEqual([
    'ap-1 slow firing',
    'ap-3 slow pending',
    'ap-3 check-failed pending',
  ]);
});

test('after a short outage nothing fires because of it: the next value of each device decides', () => {
  const fixture = new AlertFixture([...RULES, rule({ name: 'often' })]);
  fixture.add('ap-5');
  fixture.write(unreached(1, { device: 'ap-4', server: 'server-1' }));
  fixture.write(failing(2, 'ap-1'), unreached(3, { device: 'ap-5', reached: null }), failing(4, 'ap-2'));
  expect(fixture.write(failing(5, 'ap-3'), fine(6, 'ap-5'))).toEqual([
    'firing server-down server-0',
    'resolved server-down server-0',
  ]);
  const elsewhere = ['firing slow ap-4', 'firing check-failed ap-4'];
  expect(fixture.toldBy(() => fixture.alerts.tick(at(90)))).toEqual(elsewhere);
  expect(fixture.write(fine(100, 'ap-1'), write(101, [download(1e6)], { device: 'ap-2' }))).toEqual([
    'firing slow ap-2',
    'firing often ap-2',
  ]);
});

test('when another device reaches the server, what was held because of it fires at once', () => {
  const fixture = new AlertFixture(RULES);
  expect(fixture.write(failing(1, 'ap-1'), fine(2, 'ap-2'))).toEqual(['firing slow ap-1', 'firing check-failed ap-1']);
  expect(fixture.list()).toHaveLength(2);
});

test('a device that nobody can exonerate is held for half an hour at most, and its own failures do not prolong it', () => {
  const fixture = new AlertFixture(RULES);
  fixture.write(failing(1, 'ap-1'), failing(20, 'ap-1'));
  expect(fixture.toldBy(() => fixture.alerts.tick(at(30)))).toEqual([]);
  expect(fixture.toldBy(() => fixture.alerts.tick(at(31)))).toEqual(['firing slow ap-1', 'firing check-failed ap-1']);
  expect(fixture.toldBy(() => fixture.alerts.tick(at(32)))).toEqual([]);
});

test('a device that fails again when its time is up fires by itself', () => {
  const fixture = new AlertFixture(RULES);
  expect(fixture.write(failing(1, 'ap-1'), failing(32, 'ap-1'))).toEqual([
    'firing slow ap-1',
    'firing check-failed ap-1',
  ]);
});

test('a clock that has gone back holds nothing for longer', () => {
  const fixture = new AlertFixture(RULES);
  fixture.write(failing(100, 'ap-1'));
  expect(fixture.toldBy(() => fixture.alerts.tick(at(1)))).toHaveLength(2);
});

test('one device alone never makes a server down', () => {
  const fixture = new AlertFixture(RULES);
  for (let token = 1; token < 9; token++) fixture.write(failing(token, 'ap-1'));
  expect(fixture.list()).toContainEqual(
    expect.objectContaining({
      rule: 'server-down',
      state: 'pending',
      reason: 'ap-1 could not reach server-0; it takes 3',
    }),
  );
});

test('late news of a server change nothing, and none of it counts twice', () => {
  const fixture = new AlertFixture(RULES);
  fixture.write(fine(9, 'ap-4'));
  expect(
    fixture.write(failing(1, 'ap-1'), failing(2, 'ap-2'), failing(3, 'ap-3')).filter((line) => line.includes('server')),
  ).toEqual([]);
  fixture.write(failing(10, 'ap-1'), failing(10, 'ap-1'), failing(11, 'ap-2'), failing(11, 'ap-2'));
  expect(fixture.list()).toContainEqual(expect.objectContaining({ rule: 'server-down', state: 'pending' }));
});

test('what never had a slot says nothing of the server, and makes nothing late', () => {
  const fixture = new AlertFixture([serverDown]);
  const refused = unreached(3, { device: 'ap-3', token: null });
  fixture.store.leases.lastToken = () => 150;
  expect(fixture.write(failing(1, 'ap-1'), failing(2, 'ap-2'), refused)).toEqual([]);
  fixture.write(fine(100, 'ap-4'));
  expect(fixture.list()).toEqual([]);
});

test('an attempt that is to be repeated counts against its server as well', () => {
  const fixture = new AlertFixture([serverDown]);
  const attempts = ['ap-1', 'ap-2', 'ap-3'].map((device, index) => ({ ...failing(index + 1, device), end: null }));
  expect(fixture.write(...attempts)).toEqual(['firing server-down server-0']);
});

test('what says nothing of the server neither clears nor blames it', () => {
  const fixture = new AlertFixture(RULES);
  const lost = write(3, [], {
    device: 'ap-3',
    reached: null,
    end: { outcome: 'lost', reason: 'no-result', time_ms: T0, zeros: [] },
  });
  expect(fixture.write(failing(1, 'ap-1'), failing(2, 'ap-2'), lost)).toEqual(['firing check-failed ap-3']);
  expect(fixture.list()).toContainEqual(expect.objectContaining({ rule: 'server-down', state: 'pending' }));
});

test('without server-down, or where it is about another server, nothing is held', () => {
  const elsewhere = { ...serverDown, where: { ...EVERYTHING, server: 'server-1' } };
  for (const rules of [[checkFailed], [elsewhere, checkFailed]]) {
    expect(new AlertFixture(rules).write(failing(1, 'ap-1'))).toEqual(['firing check-failed ap-1']);
  }
});

test('a run that ends without an attempt is held while its server may be down', () => {
  const fixture = new AlertFixture(RULES);
  fixture.write(failing(1, 'ap-1'));
  expect(fixture.write(unreached(2, { device: 'ap-2', reached: null }))).toEqual([]);
});

test('a server that went down again fires again, as another alert', () => {
  const fixture = new AlertFixture([serverDown]);
  const down = (token: number) => ['ap-1', 'ap-2', 'ap-3'].map((device, index) => failing(token + index, device));
  const back = ['ap-4', 'ap-4', 'ap-1', 'ap-2', 'ap-3'].map((device, index) => fine(5 + index, device));
  expect(fixture.write(...down(1), ...back, ...down(10))).toEqual([
    'firing server-down server-0',
    'resolved server-down server-0',
    'firing server-down server-0',
  ]);
  expect(new Set(fixture.told.map(({ alert }) => alert)).size).toBe(2);
});

test('dead devices that are measured one after another are told of, and make no server down every night', () => {
  const devices = Array.from({ length: 12 }, (_, index) => `ap-${index}`);
  const fixture = new AlertFixture([serverDown, builtIn('check-failed')], devices);
  const night = (first: number) =>
    fixture.write(...devices.map((device, index) => (index > 3 && index < 7 ? failing : fine)(first + index, device)));
  expect(night(1)).toEqual(['firing server-down server-0', 'resolved server-down server-0']);
  expect(night(1001)).toEqual(['firing check-failed ap-4', 'firing check-failed ap-5', 'firing check-failed ap-6']);
  expect(night(2001)).toEqual([]);
});

test('a device that has reached the server again is a suspect again', () => {
  const fixture = new AlertFixture(RULES);
  fixture.write(failing(1, 'ap-1'), fine(2, 'ap-2'), fine(3, 'ap-1'));
  expect(fixture.write(failing(4, 'ap-1'))).toEqual([]);
  expect(fixture.write(failing(5, 'ap-2'), failing(6, 'ap-3'))).toEqual(['firing server-down server-0']);
});

test('a server is reached when anything came through, or when it said no itself', () => {
  expect(reachedBy([{ class: 'link-lost' }], true)).toBe(true);
  expect(reachedBy([{ class: 'unreachable' }, { class: 'policy' }], false)).toBe(true);
  expect(reachedBy([{ class: 'unreachable' }, { class: 'link-lost' }], false)).toBe(false);
  expect(reachedBy([{ class: 'unreachable' }, { class: 'local' }], false)).toBe(null);
  expect(reachedBy([], false)).toBe(null);
});
