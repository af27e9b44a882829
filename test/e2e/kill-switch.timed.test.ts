import { expect } from 'vitest';
import { fleetTest } from '../helpers/fleet-test.ts';
import { ONE_SECOND } from '../helpers/real-fleet.ts';

/* The kill switch, as a person uses it, on programs that are really measuring. */

const test = fleetTest();

test.concurrent('suppressing with --stop-running ends iperf3 at once, holds over a restart, and resuming ends it', async ({
  fleet,
}) => {
  const long = { check: { retries: 0, tests: [{ ...ONE_SECOND, duration: '30s' }] } };
  const controller = await fleet.serve(long);
  await fleet.join('ap-1');
  const run = await fleet.order('ap-1');
  const spawn = await fleet.seen(1);
  const { code, out, err } = await fleet.cli('suppress', '--device', 'ap-1', '--for', '1h', '--stop-running');
  expect([code, err]).toEqual([0, '']);
  expect(out).toMatch(/^device ap-1 is suppressed until .* UTC: no new run starts\.\n1 running run stopped\.\n$/);
  const exit = await fleet.seen(2);
  expect(exit.at_ms - spawn.at_ms).toBeLessThan(10_000);
  expect(fleet.processes(/iperf3 -c/)).toEqual([]);
  expect(await fleet.record(run)).toMatchObject({ outcome: 'cancelled', reason: 'suppressed' });

  expect(await controller.end('SIGTERM')).toEqual({ code: 0, signal: null });
  await fleet.serve();
  await fleet.allOnline();
  expect((await fleet.status()).suppressions).toBe(1);
  const refused = await fleet.cli('run', 'ap-1');
  expect(refused.code).toBe(1);
  expect(refused.out).toMatch(/: skipped \(suppressed\)\n/);
  expect(refused.err).toContain('perfleet suppress --list');
  expect((await fleet.cli('resume')).err).toBe('perfleet: the fleet is not suppressed; suppressed: device ap-1\n');
  expect(await fleet.cli('resume', '--device', 'ap-1')).toEqual({
    code: 0,
    out: 'device ap-1 is no longer suppressed.\n',
    err: '',
  });
  expect((await fleet.cli('run', 'ap-1')).code).toBe(0);
});
