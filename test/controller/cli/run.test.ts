import { beforeEach, describe, expect, it } from 'vitest';
import { runCli } from '../../../controller/cli/run-cli.ts';
import { ManualClock } from '../../helpers/manual-clock.ts';
import { until } from '../../helpers/until.ts';
import { plan, runRecord } from '../api/sample-run.ts';
import { smallController } from './small-controller.ts';

const at = '2026-11-22T02:00:00.000Z';
const TESTS = [plan('tcp-upload', 10), plan('udp-upload', 4)];
let controller: Awaited<ReturnType<typeof smallController>>;

beforeEach(async () => {
  controller = await smallController();
  await controller.cli('device', 'add', 'ap-12');
});

/** The agent's part: all that happens to a run, up to the end that `changes` describe. */
const plays = (changes: Parameters<typeof runRecord>[0] = {}) => {
  const { service } = controller;
  service.onOrder = async (run) => {
    await until('the command watches', () => service.watchers === 1);
    service.board.tell({ run, phase: 'waiting', at, reason: 'milan-1 is leased' });
    service.board.tell({ run, phase: 'waiting', at, reason: 'milan-1 is leased' });
    service.board.tell({ run, phase: 'on-deck', at, server: 'milan-1' });
    service.board.tell({ run, phase: 'starting', at, server: 'milan-1', tests: TESTS });
    service.board.tell({ run, phase: 'running', at, server: 'milan-1', tests: TESTS });
    service.board.tell({ run, phase: 'finished', at });
    service.finish(runRecord({ run, ...changes }));
  };
};

describe('run', () => {
  it('tells each step once on stderr, prints the numbers on stdout, and exits with 0 on success', async () => {
    plays();
    const { code, out, err } = await controller.cli('run', 'ap-12', '--server', 'milan-1');
    expect(controller.service.orders).toEqual([{ device: 'ap-12', server: 'milan-1' }]);
    expect(err).toBe(`r-1: waiting: milan-1 is leased
r-1: on deck for milan-1: getting ready
r-1: starting on milan-1
r-1: measuring on milan-1: 2 tests, about 14 s
r-1: measured, the result is on its way
`);
    expect(out).toBe(`r-1: success
ap-12 (acme) on milan-1 via agent, 2026-11-22 02:00:01 UTC, took 31.4 s, waited 1.2 s

test          direction  Mbit/s  jitter ms  loss %  retransmits  rtt ms
tcp-upload    upload       94.0          -       -            3    4.20
tcp-download  download      188          -       -            0    12.0
udp-upload    upload       75.0      0.042    0.25            -       -
`);
    expect(code).toBe(0);
  });

  it('shows failures and warnings below the numbers, without what could steer a terminal, and exits with 1', async () => {
    plays({
      outcome: 'failed',
      reason: 'unreachable',
      measurements: [],
      failures: [{ test: 'tcp-upload', class: 'unreachable', message: 'refused\x1b[2J\nby it', retryable: true }],
      warnings: ['resent twice'],
    });
    const { code, out } = await controller.cli('run', 'ap-12');
    expect(code).toBe(1);
    expect(out).toBe(`r-1: failed (unreachable)
ap-12 (acme) on milan-1 via agent, 2026-11-22 02:00:01 UTC, took 31.4 s, waited 1.2 s

tcp-upload failed, unreachable: refused?[2J by it
warning: resent twice
`);
  });

  it('says so when the run never got a slot', async () => {
    const never = { server: null, via: null, granted_at: null, measurements: [] };
    plays({ outcome: 'skipped', reason: 'no connection', ...never });
    const { code, out } = await controller.cli('run', 'ap-12');
    expect(code).toBe(1);
    expect(out).toBe('r-1: skipped (no connection)\nap-12 (acme), never started, waited 1.2 s\n');
  });

  it('says what to look at when the device is offline', async () => {
    const never = { server: null, via: null, granted_at: null, measurements: [] };
    plays({ outcome: 'skipped', reason: 'device-offline', ...never });
    const { out, err } = await controller.cli('run', 'ap-12');
    expect(out).toMatch(/^r-1: skipped \(device-offline\)\n/);
    expect(err).toMatch(
      /\nIs the agent of ap-12 running, and does it reach the broker\? Look at its log, and at: perfleet device show ap-12\n$/,
    );
  });

  it.each([
    ['suppressed', 'Measurements are switched off. Which, why and until when: perfleet suppress --list'],
    ['over-budget', 'The run would exceed monthly_budget. What ap-12 has moved: perfleet device show ap-12'],
    [
      'device-unreachable',
      'Is ap-12 up, and does it answer at the address that this shows: perfleet device show ap-12',
    ],
    ['ssh-auth-failed', 'Which credentials it is asked with: perfleet device show ap-12'],
    [
      'host-key-changed',
      'Was ap-12 replaced or set up anew? Then: perfleet device trust ap-12. If not, somebody may pretend to be it',
    ],
  ])('says where to look when it was skipped: %s', async (reason, advice) => {
    plays({ outcome: 'skipped', reason, server: null, via: null, granted_at: null, measurements: [] });
    const { code, err } = await controller.cli('run', 'ap-12');
    expect([code, err.split('\n').at(-2)]).toEqual([1, advice]);
  });

  it('is no success when the record has no outcome', async () => {
    plays({ outcome: null });
    const { code, out } = await controller.cli('run', 'ap-12');
    expect([code, out.split('\n')[0]]).toEqual([1, 'r-1: not over']);
  });

  it('--json prints the one run object and nothing else', async () => {
    plays();
    const { code, out, err } = await controller.cli('run', 'ap-12', '--json');
    expect([code, err]).toEqual([0, '']);
    expect(JSON.parse(out)).toEqual(runRecord());
    plays({ outcome: 'lost' });
    expect((await controller.cli('run', 'ap-12', '--json')).code).toBe(1);
  });

  it('fails for a device that is not there', async () => {
    expect(await controller.cli('run', 'ap-13')).toEqual({
      code: 1,
      out: '',
      err: 'perfleet: there is no device ap-13\n',
    });
  });

  it('shows a bar for each test on a terminal, moved by the time that the plan takes', async () => {
    const { service, ioFor } = controller;
    const clock = new ManualClock();
    const io = ioFor({ isTTY: true, clock });
    const running = runCli(['run', 'ap-12'], io);
    await until('the command watches', () => service.watchers === 1);
    service.board.tell({ run: 'r-1', phase: 'waiting', at, reason: null });
    service.board.tell({ run: 'r-1', phase: 'running', at, server: 'milan-1', tests: TESTS });
    await until('the bars are there', () => io.stderr.text.includes('udp-upload'));
    expect(io.stderr.text).toContain('r-1: waiting for its turn\n');
    clock.advance(12_000);
    await until('the second bar is half', () =>
      /tcp-upload █{30} 100%.*udp-upload █{15}░{15} 50%/s.test(io.stderr.text),
    );
    clock.advance(12_000);
    await until('the second bar waits just short of its end', () => io.stderr.text.includes(' 99%'));
    service.board.tell({ run: 'r-1', phase: 'finished', at });
    await until('the bars are full', () => /udp-upload █{30} 100%/.test(io.stderr.text));
    service.finish(runRecord());
    expect(await running).toBe(0);
    expect(io.stdout.text).toContain('\x1b[32msuccess\x1b[0m');
  });

  it('leaves the bars where they were when the run ends before its tests', async () => {
    const { service, ioFor } = controller;
    const io = ioFor({ isTTY: true });
    const running = runCli(['run', 'ap-12'], io);
    await until('the command watches', () => service.watchers === 1);
    service.board.tell({ run: 'r-1', phase: 'running', at, server: 'milan-1', tests: TESTS });
    service.finish(runRecord({ outcome: 'failed' }));
    expect(await running).toBe(1);
    expect(io.stderr.text).not.toContain('100%');
  });
});

describe('Ctrl-C during a run', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)(
    '(%s) cancels it on the controller and says so; a second one is not caught',
    async (signal) => {
      const { service, ioFor } = controller;
      const io = ioFor();
      const running = runCli(['run', 'ap-12'], io);
      await until('the command watches', () => service.watchers === 1);
      expect(io.signal(signal)).toBe(1);
      expect(io.signal(signal)).toBe(0);
      expect(await running).toBe(1);
      expect(io.stderr.text).toContain('\nr-1: cancelled on the controller\n');
      expect(io.stdout.text).toContain('r-1: cancelled (cancelled by a person)');
      expect(service.runs.record('r-1')).toMatchObject({ value: { outcome: 'cancelled' } });
    },
  );

  it('says so when the run cannot be cancelled', async () => {
    const { service, ioFor } = controller;
    const io = ioFor();
    const running = runCli(['run', 'ap-12'], io);
    await until('the command watches', () => service.watchers === 1);
    service.stored.set('r-1', runRecord());
    io.signal('SIGINT');
    await until('it is said', () =>
      io.stderr.text.includes('perfleet: r-1 could not be cancelled: run r-1 is over already'),
    );
    service.finish(runRecord());
    expect(await running).toBe(0);
    expect(io.signal('SIGINT')).toBe(0);
  });
});
