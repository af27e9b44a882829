import { describe, expect, it } from 'vitest';
import { runCli } from '../../../controller/cli/run-cli.ts';
import { runRecord } from '../api/sample-run.ts';
import { smallController } from './small-controller.ts';

const output = { exit_code: 0, stderr: '', started_ms: 4, ended_ms: 10_104, wan_bytes: null };
const UP = '{\n\t"start":\t{}\n}\n';
const ATTEMPTS = [
  {
    token: 5,
    tests: [{ ...output, test: 'tcp-upload', exit_code: null, stdout: '', stderr: 'warning: odd\u001b[2J\n' }],
  },
  { token: 9, tests: [{ ...output, test: 'tcp-upload', stdout: UP }] },
];

const withRun = async () => {
  const small = await smallController();
  small.service.stored.set('r-1', runRecord());
  return small;
};

describe('results show', () => {
  it('is the report of one run', async () => {
    const { cli } = await withRun();
    const { code, out, err } = await cli('results', 'show', 'r-1');
    expect([code, err]).toEqual([0, '']);
    expect(out).toContain('r-1: success\nap-12 (acme) on milan-1 via agent, 2026-11-22 02:00:01 UTC');
    expect(out).toContain('udp-upload    upload       75.0      0.042    0.25            -       -\n');
  });

  it('says of a run that it was to confirm an alert, as the list does', async () => {
    const { cli, service } = await withRun();
    service.stored.set('r-1', runRecord({ origin: 'retest', outcome: 'failed', reason: 'unreachable' }));
    expect((await cli('results', 'show', 'r-1')).out).toContain('on milan-1 via agent to confirm an alert, 2026');
    expect((await cli('results')).out).toMatch(/unreachable, to confirm an alert\n/);
  });

  it('--json is the run object', async () => {
    const { cli } = await withRun();
    expect(JSON.parse((await cli('results', 'show', '--json', 'r-1')).out)).toEqual(runRecord());
  });

  it('says which figures are not of the link alone, or were not measured as such', async () => {
    const { cli, service } = await smallController();
    const [up, down, udp] = runRecord().measurements;
    if (up === undefined || down === undefined || udp === undefined) throw new Error('three tests');
    const measurements = [
      { ...up, cpu_bound: true as const, derived: true as const },
      { ...down, cross_traffic: 1.8e6 },
      { ...udp, cross_traffic: 20e6 },
    ];
    service.stored.set('r-1', runRecord({ measurements }));
    const { out } = await cli('results', 'show', 'r-1');
    expect(
      out
        .split('\n')
        .slice(3, 7)
        .map((line) => line.replaceAll(/ {2,}/g, '  ')),
    ).toEqual([
      'test  direction  Mbit/s  jitter ms  loss %  retransmits  rtt ms  remarks',
      'tcp-upload  upload  94.0  -  -  3  4.20  cpu-bound, derived',
      'tcp-download  download  188  -  -  0  12.0',
      'udp-upload  upload  75.0  0.042  0.25  -  -  others: 20.0 Mbit/s',
    ]);
    const list = await cli('results');
    expect(list.out).toMatch(/ 94\.0\* +188 /);
    expect(list.err).toBe('* not the link alone, or not measured as such: perfleet results show RUN says why\n');
    expect((await cli('results', '--json')).err).toBe('');
  });

  it('--raw has on stdout what iperf3 printed there, so that it can be piped, and the rest on stderr', async () => {
    const { cli, service } = await withRun();
    service.attempts = ATTEMPTS;
    expect(await cli('results', 'show', 'r-1', '--raw')).toEqual({
      code: 0,
      out: UP,
      err: 'attempt 1, tcp-upload: exit code unknown, 10.1 s\nwarning: odd\u001b[2J\nattempt 2, tcp-upload: exit code 0, 10.1 s\n',
    });
    expect(JSON.parse((await cli('results', 'show', 'r-1', '--raw', '--json')).out)).toEqual({
      run: 'r-1',
      attempts: ATTEMPTS,
    });
  });

  it('--raw does not let a device steer the terminal', async () => {
    const { ioFor, service } = await withRun();
    service.attempts = ATTEMPTS;
    const terminal = ioFor({ isTTY: true });
    await runCli(['results', 'show', 'r-1', '--raw'], terminal);
    expect(terminal.stdout.text).toBe(UP);
    expect(terminal.stderr.text).toContain('warning: odd?[2J\n');
  });

  it('--raw says so when nothing is kept', async () => {
    const { cli } = await withRun();
    expect(await cli('results', 'show', 'r-1', '--raw')).toEqual({
      code: 1,
      out: '',
      err: 'perfleet: nothing is kept of what iperf3 printed in r-1: no result came, or it was dropped for its age or size\n',
    });
  });

  it.each([['r-7'], ['r-7', '--raw']])('of a run that there is not fails: %s %s', async (...words) => {
    const { cli } = await withRun();
    expect(await cli('results', 'show', ...words)).toEqual({
      code: 1,
      out: '',
      err: 'perfleet: there is no run r-7\n',
    });
  });
});
