import { describe, expect, test } from 'vitest';
import { sleep, systemClock } from '../../broker/clock.ts';
import { ManualClock } from '../helpers/manual-clock.ts';

describe('the system clock', () => {
  test('its monotonic time grows and its wall time is that of the machine', () => {
    const before = systemClock.now();
    expect(systemClock.now()).toBeGreaterThanOrEqual(before);
    expect(Math.abs(systemClock.wall() - Date.now())).toBeLessThan(1000);
  });

  test('it calls back, also when the time is up already', async () => {
    await sleep(systemClock, -5);
  });

  test('a cancelled callback is not called', async () => {
    let called = false;
    systemClock.after(1, () => {
      called = true;
    })();
    await sleep(systemClock, 5);
    expect(called).toBe(false);
  });

  test('a wait that is longer than timers can do does not end at once', async () => {
    let called = false;
    const cancel = systemClock.after(2 ** 40, () => {
      called = true;
    });
    await sleep(systemClock, 5);
    cancel();
    expect(called).toBe(false);
  });
});

describe('the manual clock of the tests', () => {
  test('it calls back in order of time, at that time, and not what was cancelled', () => {
    const clock = new ManualClock();
    const calls: [string, number][] = [];
    const note = (name: string) => () => calls.push([name, clock.now()]);
    clock.after(20, note('late'));
    clock.after(10, () => {
      note('early')();
      clock.after(5, note('nested'));
    });
    clock.after(15, note('cancelled'))();
    clock.after(31, note('not yet'));
    clock.advance(30);
    expect(calls).toEqual([
      ['early', 10],
      ['nested', 15],
      ['late', 20],
    ]);
    expect(clock.now()).toBe(30);
  });
});
