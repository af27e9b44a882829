import { expect, test } from 'vitest';
import { StoreError } from '../../../controller/store/errors.ts';
import { openStore } from './open-store.ts';
import { ending, newRun, T0 } from './samples.ts';

const device = (name: string, organization = 'acme', tags: string[] = []) => ({
  device: name,
  organization,
  tags,
  uplink_group: null,
});

test('a device is found as it was registered, and no agent was seen yet', () => {
  const { devices } = openStore();
  devices.add({ device: 'ap-1', organization: 'acme', tags: ['roof', 'wi-fi'], uplink_group: 'tower-7' }, 'hash');
  expect(devices.get('ap-1')).toEqual({
    device: 'ap-1',
    organization: 'acme',
    tags: ['roof', 'wi-fi'],
    uplink_group: 'tower-7',
    ssh: null,
    agent: null,
    host: null,
    iperf3: null,
    seen_at_ms: null,
    last_run_ms: null,
  });
  expect(devices.passwordHash('ap-1')).toBe('hash');
});

test('how a device is reached over SSH is found as it was registered', () => {
  const { devices } = openStore();
  const ssh = { user: 'root', host: '192.0.2.1', port: 22, credentials: null, host_key: 'ssh-ed25519 AAAA' };
  devices.add({ ...device('ap-1'), ssh }, 'hash');
  expect(devices.get('ap-1')?.ssh).toEqual(ssh);
});

test('a device that is already registered keeps its password', () => {
  const { devices } = openStore();
  devices.add(device('ap-1'), 'first');
  expect(() => devices.add(device('ap-1'), 'second')).toThrow(
    expect.objectContaining({
      name: 'StoreError',
      kind: 'exists',
      message: 'Device ap-1 is already registered: remove it first to issue a new password',
    }),
  );
  expect(devices.passwordHash('ap-1')).toBe('first');
});

test('devices are listed by name, all or those of an organization or with a tag', () => {
  const { devices } = openStore();
  devices.add(device('b', 'acme', ['roof']), 'h');
  devices.add(device('a', 'acme'), 'h');
  devices.add(device('c', 'other', ['roof']), 'h');
  const names = (filter?: { organization?: string; tag?: string }) => devices.list(filter).map((row) => row.device);
  expect(names()).toEqual(['a', 'b', 'c']);
  expect(names({ organization: 'acme' })).toEqual(['a', 'b']);
  expect(names({ tag: 'roof' })).toEqual(['b', 'c']);
  expect(names({ organization: 'acme', tag: 'roof' })).toEqual(['b']);
  expect(names({ tag: 'cellar' })).toEqual([]);
});

test('a removed device is gone, with its password', () => {
  const { devices } = openStore();
  devices.add(device('ap-1'), 'h');
  expect(devices.remove('ap-1')).toBe(true);
  expect(devices.remove('ap-1')).toBe(false);
  expect(devices.get('ap-1')).toBeNull();
  expect(devices.passwordHash('ap-1')).toBeNull();
});

test('what the agent says is noted when it changes, and its last sight once an hour', () => {
  const { devices } = openStore();
  devices.add(device('ap-1'), 'h');
  const seen = { agent: '1.0', host: 'openwrt', iperf3: null };
  devices.noteAgent('ap-1', { ...seen, at_ms: T0 });
  expect(devices.get('ap-1')).toMatchObject({ ...seen, seen_at_ms: T0 });
  devices.noteAgent('ap-1', { ...seen, at_ms: T0 + 60_000 });
  expect(devices.get('ap-1')?.seen_at_ms).toBe(T0);
  devices.noteAgent('ap-1', { ...seen, iperf3: '3.17', at_ms: T0 + 120_000 });
  expect(devices.get('ap-1')).toMatchObject({ iperf3: '3.17', seen_at_ms: T0 + 120_000 });
  devices.noteAgent('ap-1', { ...seen, iperf3: '3.17', at_ms: T0 + 3_720_000 });
  expect(devices.get('ap-1')?.seen_at_ms).toBe(T0 + 3_720_000);
});

test('an agent of an unknown device is ignored', () => {
  const { devices } = openStore();
  devices.noteAgent('nobody', { agent: '1.0', host: 'node', iperf3: null, at_ms: T0 });
  expect(devices.list()).toEqual([]);
});

test('a StoreError is an Error', () => {
  expect(new StoreError('full', 'no room')).toBeInstanceOf(Error);
});

test('a device tells when its last run ended', () => {
  const { devices, runs, results } = openStore();
  devices.add({ device: 'ap-12', organization: 'acme', tags: [], uplink_group: null }, 'hash');
  runs.add([newRun('r-1'), newRun('r-2')]);
  results.finish('r-1', ending({ finished_at_ms: T0 + 7 }));
  results.finish('r-2', ending({ finished_at_ms: T0 + 3 }));
  expect(devices.get('ap-12')?.last_run_ms).toBe(T0 + 7);
});
