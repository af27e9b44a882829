import '../../../agent/hosts/node/builtins.ts';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { argv } from '../../../agent/iperf3/argv.ts';
import { readFigures, saysBusyOrRefused } from '../../../agent/iperf3/output.ts';
import { atLeast, capabilities, readVersion } from '../../../agent/iperf3/version.ts';
import { TestPlan } from '../../../broker/contract/messages.ts';

const plan = (more: object = {}) =>
  TestPlan.parse({ test: 't', protocol: 'tcp', direction: 'upload', duration_s: 10, ...more });
const target = { host: 'h', port: 5201, username: null, key_path: '/key' };
const line = (more: object, bitrate: number | null = null, version: string | null = '3.12') =>
  argv(plan(more), target, bitrate, version).join(' ');
const output = (name: string) => readFileSync(`${import.meta.dirname}/output/${name}`, 'utf8');

describe('the arguments of iperf3', () => {
  it('are few for a plain test', () => {
    expect(line({})).toBe('-c h -p 5201 -J -t 10 -P 1 -i 1 --connect-timeout 3000');
  });

  it('are all from the allow-list', () => {
    const more = {
      protocol: 'udp',
      direction: 'bidir',
      omit_s: 2,
      streams: 4,
      length: 1400,
      window: 65536,
      congestion: 'bbr',
    };
    expect(line(more, 10_000_001)).toBe(
      '-c h -p 5201 -J -t 10 -P 4 -i 1 -O 2 -u --bidir -b 2500000 -l 1400 -w 65536 -C bbr --connect-timeout 3000',
    );
    expect(line({ direction: 'download', streams: 2 }, 1)).toContain('-R -b 1 ');
  });

  it('have no option that an old version does not know', () => {
    expect(line({}, null, '3.1.3')).toBe('-c h -p 5201 -J -t 10 -P 1 -i 1');
    expect(line({}, null, null)).not.toContain('--');
  });

  it.each([
    [5, 1, 1],
    [19, 1, 1],
    [60, 1, 6],
    [3600, 1, 60],
    [10, 16, 1],
    [10, 32, 2],
    [10, 128, 10],
  ])('report every so often: %i s with %i streams every %i s', (duration_s, streams, interval) => {
    expect(line({ duration_s, streams })).toContain(` -i ${interval} `);
  });

  it('name the user and the file of the key, never a password', () => {
    const args = argv(plan(), { ...target, username: '--help' }, null, '3.12');
    expect(args.slice(-4)).toEqual(['--username', '--help', '--rsa-public-key-path', '/key']);
    expect(argv(plan(), { ...target, username: 'u', key_path: null }, null, '3.12')).not.toContain('u');
  });
});

describe('the version', () => {
  it.each([
    ['iperf 3.12 (cJSON 1.7.15)\nLinux vm', '3.12'],
    ['Linux vm 6.1\niperf 3.0.11', '3.0.11'],
    ['iperf 3.17.1+ (cJSON)', '3.17.1'],
    ['sh: iperf3: not found', null],
  ])('is read from %j', (text, version) => {
    expect(readVersion(text)).toBe(version);
  });

  it('is compared by its numbers', () => {
    expect(['3.1.3', '3.7', '3.12', '4.0', '2.9', 'x', null].map((version) => atLeast(version, 7))).toEqual([
      false,
      true,
      true,
      true,
      false,
      false,
      false,
    ]);
    expect(capabilities('3.6')).toEqual(['tcp', 'udp', 'cross-traffic']);
  });
});

describe('the output', () => {
  it.each([
    ['v3.12__err_busy.txt', ''],
    ['v3.16__err_refused.txt', ''],
    ['', 'v3.9__err_busy.stderr'],
    ['', 'v3.9__err_refused.stderr'],
  ])('says busy or refused: %s%s', (stdout, stderr) => {
    expect(saysBusyOrRefused(stdout && output(stdout), stderr && output(stderr))).toBe(true);
  });

  it.each(['v3.12__tcp_up.txt', 'v3.12__err_sigterm.txt'])('does not: %s', (name) => {
    expect(saysBusyOrRefused(output(name), '')).toBe(false);
  });

  it('does not when the server was lost in the middle of a test', () => {
    const lost = JSON.stringify({ error: 'unable to write to stream socket: Connection reset by peer' });
    expect(saysBusyOrRefused(lost, '')).toBe(false);
  });

  it('has the figure of the receiver', () => {
    expect(readFigures(plan(), output('v3.12__tcp_up.txt')).upload).toBeCloseTo(
      JSON.parse(output('v3.12__tcp_up.txt')).end.sum_received.bits_per_second,
    );
    expect(readFigures(plan({ direction: 'download' }), output('v3.12__tcp_down.txt'))).toMatchObject({
      upload: null,
    });
  });

  it.each([
    ['v3.7__tcp_bidir.txt', 7901737580.707079, 12635839553.17364],
    ['v3.12__tcp_bidir.txt', 9231993526.927624, 8385644734.35093],
  ])('has a figure for each direction of %s', (name, upload, download) => {
    expect(readFigures(plan({ direction: 'bidir' }), output(name))).toEqual({ upload, download });
  });

  it.each([
    ['warning: something\n{"end":{"sum_received":{"bits_per_second":5}}}', 5],
    ['{"end":{"sum_received":{"bits_per_second":5.5,"x":-nan}}\n}\ntrailing {', 5.5],
    ['{"error":"x","end":{"sum_received":{"bits_per_second":5}}}', null],
    ['{"end":{"sum_received":{"bits_per_second":0}}}', null],
    ['{"end":{"sum_received":', null],
    ['', null],
  ])('%j gives %s', (stdout, upload) => {
    expect(readFigures(plan(), stdout)).toEqual({ upload, download: null });
  });

  it('of UDP gives none, nor do streams that say nothing', () => {
    expect(readFigures(plan({ protocol: 'udp' }), '{"end":{"sum_received":{"bits_per_second":5}}}').upload).toBeNull();
    const streams = '{"end":{"streams":[{"receiver":{}},null]}}';
    expect(readFigures(plan({ direction: 'bidir' }), streams)).toEqual({ upload: null, download: null });
    expect(readFigures(plan({ direction: 'bidir' }), '{}')).toEqual({ upload: null, download: null });
  });
});
