import { describe, expect, it } from 'vitest';
import { TestOutput, TestPlan } from '../../../broker/contract/messages.ts';
import { readRun } from '../../../controller/results/read-run.ts';
import { corpusOutput } from '../../helpers/iperf3-corpus.ts';
import { testSystem } from './test-system.ts';

const plan = (test: string, more: object = {}): TestPlan => {
  const [protocol, direction] = test.split('-');
  return TestPlan.parse({ test, protocol, direction, duration_s: 2, ...more });
};

const output = (test: string, file: string, started_ms = 0, ended_ms = started_ms + 2100): TestOutput =>
  TestOutput.parse({ test, ...corpusOutput(file), started_ms, ended_ms });

const UP = plan('tcp-upload');
const DOWN = plan('tcp-download');
const UDP = plan('udp-upload', { bitrate: 'auto' });

describe('the reading of a run', () => {
  it('has the measurements of each test with its start', () => {
    const run = readRun(
      [UP, plan('tcp-bidir')],
      [output('tcp-upload', 'v3.12__tcp_up.json', 40), output('tcp-bidir', 'v3.7__tcp_bidir.json', 2200)],
    );
    expect(run.failures).toEqual([]);
    expect(run.measurements).toMatchObject([
      { test: 'tcp-upload', direction: 'upload', bytes: 4596695040, started_ms: 40 },
      { test: 'tcp-bidir', direction: 'upload', bytes: 2014576640, started_ms: 2200 },
      { test: 'tcp-bidir', direction: 'download', bytes: 3221553099, started_ms: 2200 },
    ]);
    expect(run.warnings).toEqual([
      'tcp-bidir: upload: throughput is the sum over the streams',
      'tcp-bidir: download: throughput is the sum over the streams',
    ]);
  });

  it('has the direction that arrived beside the failure of the other', () => {
    const whole = output('udp-bidir', 'v3.12__udp_bidir.json', 40);
    const stdout = whole.stdout.replace(/("sum_received_bidir_reverse":\s*\{[^}]*?"bytes":\s*)\d+/, '$10');
    const run = readRun([plan('udp-bidir')], [{ ...whole, stdout }]);
    const [upload] = readRun([plan('udp-bidir')], [whole]).measurements;
    expect(run.measurements).toEqual([upload]);
    expect(upload).toMatchObject({ direction: 'upload', started_ms: 40 });
    const message = 'the receiver of the download counted no bytes';
    expect(run.failures).toEqual([{ test: 'udp-bidir', class: 'link-lost', message, retryable: true }]);
  });

  it('knows a silent server by the time of its test', () => {
    const silent = { ...output('tcp-upload', 'v3.12__tcp_up.json', 100, 10_100), stdout: '' };
    expect(readRun([UP], [silent]).failures).toMatchObject([{ test: 'tcp-upload', class: 'unreachable' }]);
  });

  it('names a test that the agent did not run', () => {
    expect(readRun([UP, DOWN], [output('tcp-upload', 'v3.12__tcp_up.json')]).failures).toEqual([
      { test: 'tcp-download', class: 'local', message: 'the agent did not run it', retryable: false },
    ]);
  });

  it('drops what was never planned and what comes twice', () => {
    const run = readRun(
      [UP],
      [
        output('tcp-upload', 'v3.12__tcp_up.json'),
        output('tcp-upload', 'v3.12__err_busy.json'),
        output('tcp-mystery', 'v3.12__tcp_up.json'),
      ],
    );
    expect(run.measurements).toHaveLength(1);
    expect(run.failures).toEqual([]);
    expect(run.warnings).toEqual([
      'tcp-upload: reported twice, the second was dropped',
      'tcp-mystery: not planned, dropped',
    ]);
  });
});

describe('a device that is busy', () => {
  const UPLOAD = output('tcp-upload', 'v3.12__tcp_up.json');
  const during = (test: string, busiest: number | null, more: object = {}) => {
    const { test: _, ...system } = testSystem(test, busiest, more);
    return { ...UPLOAD, test, system };
  };

  it('is told of each test that says it', () => {
    const down = { ...output('tcp-download', 'v3.12__tcp_down.json'), system: null };
    const run = readRun([UP, DOWN], [during('tcp-upload', 94), down]);
    expect(run.system).toEqual([testSystem('tcp-upload', 94)]);
    expect(run.warnings).toEqual([]);
    expect(readRun([UP], [UPLOAD]).system).toEqual([]);
  });

  it.each([
    [{ softirq_percent: 61.9, offload: { flow: false, hardware: true } }, 'softirq 61%, flow offloading off'],
    [{ softirq_percent: null, offload: null }, 'softirq not known, flow offloading not known'],
    [{ softirq_percent: 0, offload: { flow: true, hardware: false } }, 'softirq 0%, flow offloading on'],
    [{ softirq_percent: 99, offload: { flow: true, hardware: true } }, 'softirq 99%, flow offloading on, in hardware'],
  ])('has a warning when one CPU was at its end: %j', (more, words) => {
    expect(readRun([UP], [during('tcp-upload', 95, more)]).warnings).toEqual([
      `tcp-upload: the device's busiest CPU was 95% busy (${words}): the figure may be the router's limit, not the line's`,
    ]);
  });

  it('has no warning where there is no figure, or the CPUs are not known', () => {
    const refused = { ...output('tcp-upload', 'v3.12__err_refused.json'), system: during('tcp-upload', 100).system };
    expect(readRun([UP], [refused])).toMatchObject({ warnings: [], system: [testSystem('tcp-upload', 100)] });
    expect(readRun([UP], [during('tcp-upload', null)]).warnings).toEqual([]);
  });
});

describe('a test with an automatic bitrate that was not run', () => {
  it('shares the failure of the TCP test of its direction', () => {
    const run = readRun(
      [UP, DOWN, UDP],
      [output('tcp-upload', 'v3.12__err_busy.json'), output('tcp-download', 'v3.12__tcp_down.json')],
    );
    const busy = { class: 'busy', message: 'the server is busy running a test. try again later', retryable: true };
    expect(run.failures).toEqual([
      { test: 'tcp-upload', ...busy },
      { test: 'udp-upload', ...busy },
    ]);
  });

  it.each([
    ['tcp-bidir', 'udp-upload'],
    ['tcp-download', 'udp-bidir'],
    ['tcp-bidir', 'udp-bidir'],
  ])('shares that of %s as %s', (tcp, udp) => {
    const run = readRun([plan(tcp), plan(udp, { bitrate: 'auto' })], [output(tcp, 'v3.12__err_refused.json')]);
    expect(run.failures.map((failure) => failure.class)).toEqual(['unreachable', 'unreachable']);
  });

  it('has no figure where its TCP test succeeded, is of another direction, comes later or was not planned', () => {
    const noFigure = [
      { test: 'udp-upload', class: 'malformed', message: 'no TCP figure to derive its bitrate from', retryable: false },
    ];
    expect(readRun([UP, UDP], [output('tcp-upload', 'v3.12__tcp_up.json')]).failures).toEqual(noFigure);
    expect(readRun([DOWN, UDP], [output('tcp-download', 'v3.12__err_busy.json')]).failures.slice(1)).toEqual(noFigure);
    expect(readRun([UDP, UP], [output('tcp-upload', 'v3.12__err_busy.json')]).failures.slice(0, 1)).toEqual(noFigure);
    expect(readRun([UDP], []).failures).toEqual(noFigure);
  });

  it('is read as any other when it was run', () => {
    const run = readRun(
      [UP, UDP],
      [output('tcp-upload', 'v3.12__tcp_up.json'), output('udp-upload', 'v3.12__udp_up.json')],
    );
    expect(run.measurements.map(({ test }) => test)).toEqual(['tcp-upload', 'udp-upload']);
  });
});
