import { describe, expect, it } from 'vitest';
import type { CheckSettings } from '../../../controller/config/settings.ts';
import { Gate } from '../../../controller/runs/gate.ts';
import { testPlan, worldSettings } from '../../helpers/controller-fixture.ts';
import { JumpingClock } from '../../helpers/jumping-clock.ts';
import { openStore } from '../store/open-store.ts';
import { grant, newRun } from '../store/samples.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const UDP = [testPlan({ test: 'udp-upload', protocol: 'udp', bitrate: 8_000_000, duration_s: 10, omit_s: 0 })];
/** What UDP is planned to move. */
const PLANNED = 10_000_000;

/** Begins on 22 November 2026 at midnight UTC. */
const make = (check: Partial<CheckSettings> = {}) => {
  const store = openStore();
  const clock = new JumpingClock();
  const settings = worldSettings({ check });
  const gate = new Gate({ settings: () => settings, store, clock });
  const about = { device: 'ap-1', organization: 'default', tests: UDP };
  let token = 0;
  const add = (run: string, origin: 'demand' | 'schedule' = 'schedule') =>
    store.runs.add([newRun(run, { ...about, origin, night: origin === 'schedule' ? run : null })]);
  /** The device has had a run `ago_ms` before now, and moved so much with it; null: its result has not come. */
  const had = (run: string, bytes: number | null, ago_ms = 0) => {
    token += 1;
    add(run);
    const at_ms = clock.wall() - ago_ms;
    store.runs.noteGrant(grant(run, token, { at_ms, tests: UDP }));
    store.moved.note({ token, run, device: 'ap-1', at_ms, bytes: PLANNED });
    if (bytes !== null) store.moved.correct(token, bytes);
  };
  const refusal = (run: string) => gate.refusal({ run, device: 'ap-1', tests: UDP });
  return { store, clock, settings, gate, add, had, refusal };
};

describe('the byte budget of a month', () => {
  it('admits what still fits, by the estimate', () => {
    const { add, had, refusal } = make({ monthly_budget: 2 * PLANNED + 5 });
    add('r-next');
    had('r-1', PLANNED);
    expect(refusal('r-next')).toBeNull();
    had('r-2', 6);
    expect(refusal('r-next')).toBe('over-budget');
  });

  it('counts what a run without a result may have moved', () => {
    const { add, had, refusal } = make({ monthly_budget: PLANNED });
    add('r-next');
    expect(refusal('r-next')).toBeNull();
    had('r-1', null);
    expect(refusal('r-next')).toBe('over-budget');
  });

  it('begins anew with the month of its own time zone', () => {
    const { add, had, clock, refusal } = make({ monthly_budget: PLANNED, timezone: 'Europe/Rome' });
    add('r-next');
    had('r-1', PLANNED);
    // From 22 November 01:00 to 30 November 23:59 in Rome.
    clock.advance(9 * DAY_MS - HOUR_MS - 1);
    expect(refusal('r-next')).toBe('over-budget');
    clock.advance(1);
    expect(refusal('r-next')).toBeNull();
  });

  it('holds for a run that a person asks for, too', () => {
    const { add, refusal } = make({ monthly_budget: PLANNED - 1 });
    add('r-next', 'demand');
    expect(refusal('r-next')).toBe('over-budget');
  });

  it('can be that of a tag of the device', () => {
    const { store, settings, add, refusal } = make();
    const organization = settings.organizations.get('default');
    organization?.tags.push({ tag: 'lte', check: { monthly_budget: 0 } });
    store.devices.add({ device: 'ap-1', organization: 'default', tags: ['lte'], uplink_group: null }, 'hash');
    add('r-next');
    expect(refusal('r-next')).toBe('over-budget');
  });
});

describe('an estimate', () => {
  it('is what the plan says as long as no run of these tests has moved anything', () => {
    const { gate, had } = make();
    had('r-1', null);
    had('r-2', 0);
    expect(gate.estimate('ap-1', UDP)).toBe(PLANNED);
  });

  it('is the most of the last three runs', () => {
    const { gate, had } = make();
    had('r-1', 900, 4);
    had('r-2', 300, 3);
    had('r-3', 500, 2);
    had('r-4', 400, 1);
    expect(gate.estimate('ap-1', UDP)).toBe(500);
  });
});

describe('the limit of a day', () => {
  it('refuses a scheduled run beyond it, and counts those that a person asked for', () => {
    const { add, had, refusal } = make({ max_runs_per_day: 2 });
    add('r-next');
    add('r-person', 'demand');
    had('r-1', 1);
    expect(refusal('r-next')).toBeNull();
    had('r-2', null);
    expect(refusal('r-next')).toBe('daily-limit');
    expect(refusal('r-person')).toBeNull();
  });

  it('does not count another attempt of the same run', () => {
    const { had, refusal } = make({ max_runs_per_day: 1 });
    had('r-1', 1);
    expect(refusal('r-1')).toBeNull();
  });

  it('begins anew at midnight in the time zone of the check', () => {
    const { add, had, clock, refusal } = make({ max_runs_per_day: 1, timezone: 'Europe/Rome' });
    add('r-next');
    had('r-1', 1);
    clock.advance(23 * HOUR_MS - 1);
    expect(refusal('r-next')).toBe('daily-limit');
    clock.advance(1);
    expect(refusal('r-next')).toBeNull();
  });
});

describe('without a limit', () => {
  it('everything is admitted, whatever was moved', () => {
    const { add, had, refusal } = make();
    add('r-next');
    had('r-1', 1e15);
    expect(refusal('r-next')).toBeNull();
  });

  it('so is a run of an organization that left the settings, and one that nobody knows', () => {
    const { settings, add, refusal } = make({ monthly_budget: 0 });
    add('r-next');
    settings.organizations.clear();
    expect(refusal('r-next')).toBeNull();
    expect(refusal('r-unknown')).toBeNull();
  });
});
