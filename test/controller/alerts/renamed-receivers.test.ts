import { expect, test } from 'vitest';
import { noteReceivers } from '../../../controller/alerts/renamed-receivers.ts';
import { NO_STATES } from '../../../controller/alerts/state.ts';
import type { ReceiverSettings } from '../../../controller/config/settings.ts';
import { RecordedLog } from '../../helpers/recorded-log.ts';
import { AlertFixture } from './alert-fixture.ts';
import { notice } from './notices.ts';
import { mailVia, hook as webhook } from './receiver-settings.ts';

const hook = (path: string) => webhook(`http://noc/${path}`);
const mail = (to: string[], host = 'mail') => mailVia(25, { to, host });
const topic = (name: string): ReceiverSettings => ({ kind: 'mqtt', topic: name });

/** What is renamed when one configuration follows another. */
const renamed = (before: Record<string, ReceiverSettings>, after: Record<string, ReceiverSettings>) => {
  const { store } = new AlertFixture([]);
  const log = new RecordedLog();
  expect(noteReceivers(store, new Map(Object.entries(before)), log)).toEqual(new Map());
  return Object.fromEntries(noteReceivers(store, new Map(Object.entries(after)), log));
};

test('a new name at the place of one that is gone is the same receiver', () => {
  expect(renamed({ noc: hook('a') }, { desk: hook('a') })).toEqual({ noc: 'desk' });
  expect(renamed({ bus: topic('alerts') }, { wire: topic('alerts') })).toEqual({ bus: 'wire' });
  expect(renamed({ a: hook('a'), b: hook('b') }, { y: hook('b'), x: hook('a') })).toEqual({ a: 'x', b: 'y' });
});

test('who we say we are, and the order of addresses, are not the place', () => {
  const secret = { ...hook('a'), secret: 'another' };
  expect(renamed({ noc: hook('a') }, { desk: secret })).toEqual({ noc: 'desk' });
  expect(renamed({ us: mail(['a@x.net', 'b@x.net']) }, { all: mail(['b@x.net', 'a@x.net']) })).toEqual({ us: 'all' });
});

test('another place or kind, a name that stays, and a name that was there before are none', () => {
  expect(renamed({ noc: hook('a') }, { desk: hook('b') })).toEqual({});
  expect(renamed({ us: mail(['a@x.net']) }, { all: mail(['a@x.net'], 'another') })).toEqual({});
  expect(renamed({ noc: hook('a') }, { noc: hook('b'), desk: hook('a') })).toEqual({});
  expect(renamed({ noc: hook('a'), desk: hook('a') }, { desk: hook('a') })).toEqual({});
});

test('each is renamed once, though others are reached at the same place', () => {
  expect(renamed({ a: hook('a'), b: hook('a') }, { x: hook('a') })).toEqual({ a: 'x' });
  expect(renamed({ a: hook('a') }, { x: hook('a'), y: hook('a') })).toEqual({ a: 'x' });
});

test('what waits, what was set aside and what fires goes on under the new name, and the log says so', () => {
  const { store } = new AlertFixture([]);
  const log = new RecordedLog();
  noteReceivers(store, new Map([['noc', hook('a')]]), log);
  for (const id of ['n-1', 'n-2']) store.notices.add(['noc', 'boss'], notice({ id }));
  store.notices.setAside(store.notices.next('noc')?.id ?? 0, 'no');
  const entry = { print: '', since_ms: 0, reason: '', recent: [], median: null, hold: null, retested: false };
  const alert = { id: 'a-1', firing_since_ms: 0, severity: 'info', metric: 'run.success' } as const;
  const subject = { kind: 'device', name: 'ap-1' } as const;
  store.alertStates.put(subject, {
    ...NO_STATES,
    rules: {
      slow: { ...entry, state: 'firing', alert: { ...alert, told: ['boss', 'noc'] } },
      soon: { ...entry, state: 'pending', alert: null },
    },
  });
  noteReceivers(store, new Map([['desk', hook('a')]]), log);
  expect(store.notices.counts('noc')).toEqual({ waiting: 0, set_aside: 0 });
  expect(store.notices.counts('desk')).toEqual({ waiting: 1, set_aside: 1 });
  expect(store.notices.counts('boss')).toEqual({ waiting: 2, set_aside: 0 });
  const { slow, soon } = store.alertStates.get(subject).rules;
  expect([slow?.alert?.told, soon?.alert]).toEqual([['boss', 'desk'], null]);
  expect(log.lines).toEqual([
    {
      level: 'info',
      fields: { receiver: 'desk', before: 'noc' },
      message: 'a receiver has another name: what it was told goes on under that',
    },
  ]);
});
