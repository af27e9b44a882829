import { expect, it } from 'vitest';
import { LiveView } from '../../../controller/demo/live-view.ts';
import { slotLine, table } from '../../../controller/demo/summary.ts';
import type { RunRecord } from '../../../controller/run-record.ts';
import { testPlan } from '../../helpers/controller-fixture.ts';

const at = '2026-11-22T02:00:00.000Z';

it('the live view shows who holds which slot, how far the test is, who is next and who waits', () => {
  const view = new LiveView(['server-1', 'server-2']);
  for (const [index, device] of ['a', 'b', 'c', 'd'].entries()) view.add(`r-${index}`, device);
  const tests = [testPlan({ duration_s: 2, omit_s: 0 }), testPlan({ test: 'tcp-download', duration_s: 2, omit_s: 0 })];
  expect(view.lines(0)).toEqual(['server-1   free', 'server-2   free', 'waiting: a, b, c, d', 'finished: nobody']);
  expect(view.note({ run: 'r-0', phase: 'waiting', at, reason: null }, 0)).toBe('a waits');
  expect(view.note({ run: 'r-0', phase: 'starting', at, server: 'server-1', tests }, 0)).toBe(
    'a has the slot of server-1',
  );
  expect(view.note({ run: 'r-1', phase: 'on-deck', at, server: 'server-1' }, 0)).toBe('b is next on server-1');
  expect(view.lines(0)[0]).toBe(`server-1   ${'a          starting'.padEnd(52)} next: b`);
  expect(view.note({ run: 'r-0', phase: 'running', at, server: 'server-1', tests }, 1000)).toBeNull();
  expect(view.lines(2000)[0]).toContain(`tcp-upload   ${'█'.repeat(10)}${'░'.repeat(10)}`);
  expect(view.lines(3500)[0]).toContain('tcp-download █████░');
  expect(view.lines(9000)[0]).toContain('finishing');
  expect(view.note({ run: 'r-0', phase: 'finished', at }, 9000)).toBe('a has finished');
  expect(view.note({ run: 'r-0', phase: 'final', at }, 9000)).toBe('the result of a is stored');
  expect(view.lines(9000).slice(2)).toEqual(['waiting: c, d', 'finished: a']);
  expect(view.note({ run: 'r-unknown', phase: 'final', at }, 0)).toBeNull();
});

it('the table has a row per run, also for one that measured nothing', () => {
  const run: RunRecord = {
    run: 'r-1',
    device: 'ap-1',
    organization: 'default',
    server: 'server-1',
    via: 'agent',
    outcome: 'success',
    reason: null,
    granted_at: at,
    queued_s: 1.25,
    duration_s: 6,
    attempts: 1,
    measurements: [
      { test: 'u', protocol: 'tcp', direction: 'upload', bits_per_second: 94e6, bytes: 1, seconds: 2, retransmits: 3 },
      { test: 'd', protocol: 'tcp', direction: 'download', bits_per_second: 93.26e6, bytes: 1, seconds: 2 },
      {
        test: 'j',
        protocol: 'udp',
        direction: 'upload',
        bits_per_second: 75e6,
        bytes: 1,
        seconds: 2,
        jitter_ms: 0.1234,
        lost_percent: 1.5,
      },
    ],
    failures: [],
    warnings: [],
  };
  const skipped: RunRecord = { ...run, server: null, outcome: 'skipped', reason: 'device-offline', measurements: [] };
  const lines = table([run, skipped]).split('\n');
  expect(lines[3]).toMatch(/ap-1 .* server-1 .* 94\.0 .* 93\.3 .* 0\.123 .* 1\.50 .* 3 .* 1\.3 .* success/);
  expect(lines[4]).toMatch(/– .* – .* skipped \(device-offline\)/);
});

it('one line says how busy the slots were', () => {
  expect(slotLine({ slot_use: 0.987, makespan_s: 18.64 }, 2)).toContain(
    'The slots of 2 servers were 98.7% busy for 18.6 s',
  );
});
