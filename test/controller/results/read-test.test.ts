import { describe, expect, it } from 'vitest';
import { TestPlan } from '../../../broker/contract/messages.ts';
import { type Iperf3Result, readTest } from '../../../controller/results/read-test.ts';
import { corpusOutput, corpusText } from '../../helpers/iperf3-corpus.ts';

const plan = (test: string, more: Partial<TestPlan> = {}): TestPlan => {
  const [protocol, direction] = test.split('-');
  return TestPlan.parse({ test, protocol, direction, duration_s: 2, ...more });
};

const result = (stdout: unknown, more: Partial<Iperf3Result> = {}): Iperf3Result => ({
  stdout: typeof stdout === 'string' ? stdout : JSON.stringify(stdout),
  stderr: '',
  exit_code: 0,
  ...more,
});

const compact = (name: string): string => corpusText(name).replace(/[\t\n]/g, '');

/** The text up to and with the first occurrence of `mark`. */
const cutAfter = (text: string, mark: string): string => text.slice(0, text.indexOf(mark) + mark.length);

const failureOf = (reading: ReturnType<typeof readTest>) => (reading.ok ? null : reading.failure);
const classOf = (reading: ReturnType<typeof readTest>) => failureOf(reading)?.class;
const numbersOf = (reading: ReturnType<typeof readTest>) => (reading.ok ? reading.measurements : []);

const UP = corpusText('v3.12__tcp_up.json');
const BYTES_UP = 4596695040;

describe('text around the JSON', () => {
  it.each([
    ['a leading warning', `warning: Ignoring nonsense TCP MSS 0\n${UP}`],
    ['a leading warning with a brace', `warning: {oops\n${UP}`],
    ['empty objects before it', `{} {}\n${UP}`],
    ['text after it', `${UP}\niperf3: getsockopt - Protocol not available\n`],
  ])('does not spoil a good run: %s', (_, stdout) => {
    const reading = readTest(result(stdout), null);
    expect(numbersOf(reading)).toMatchObject([{ bytes: BYTES_UP }]);
    expect(reading.warnings.length).toBeLessThanOrEqual(2);
  });

  it('is told', () => {
    expect(readTest(result(`warning: x\n${UP}`), null).warnings).toEqual(['text around the JSON was ignored']);
  });

  it('may be the JSON once more', () => {
    const reading = readTest(result(UP + UP), null);
    expect(numbersOf(reading)).toMatchObject([{ bytes: BYTES_UP }]);
    expect(reading.warnings).toEqual(['the JSON occurs 2 times, one was read']);
  });

  it('does not hide the error of a second JSON', () => {
    const second = UP.replace(/\}\s*$/, ',"error":"control socket has closed unexpectedly"}');
    expect(classOf(readTest(result(UP + second), null))).toBe('link-lost');
  });

  it('on stderr does not matter at all', () => {
    const stderr = 'warning: UDP block size 65507 exceeds TCP MSS 1448, may result in fragmentation / drops\n';
    expect(readTest(result(UP, { stderr }), null)).toEqual(readTest(result(UP), null));
  });

  it('on stderr of 3.9 is its error', () => {
    const stderr = 'iperf3: error - the server has terminated\n';
    expect(classOf(readTest(result(corpusText('v3.9__tcp_down.json'), { stderr }), null))).toBe('link-lost');
    expect(readTest(result(UP, { stderr }), null).ok).toBe(true);
    const noise = { stderr: 'sh: logger: not found\n' };
    expect(readTest(result(corpusText('v3.9__tcp_down.json'), noise), null).ok).toBe(true);
  });
});

describe('damaged numbers', () => {
  it('with a space in the exponent are read', () => {
    const stdout = compact('v3.1.3__tcp_up.json').replaceAll('1.702361e+10', '1.702361e 10');
    expect(numbersOf(readTest(result(stdout), null))).toMatchObject([{ bits_per_second: 1.702361e10 }]);
  });

  it.each(['nan', '-nan', 'inf', '-inf', 'NaN', '-nan(ind)', '1e999'])(
    '%s instead of the rate: it is derived',
    (bad) => {
      const stdout = compact('v3.1.3__tcp_up.json').replaceAll('1.702361e+10', bad);
      const reading = readTest(result(stdout), null);
      const [numbers] = numbersOf(reading);
      expect(numbers?.bits_per_second).toBeCloseTo((4256169878 * 8) / 2.000125, 3);
      expect(reading.warnings).toEqual([
        '2 values are not numbers (nan, inf) and were dropped',
        'upload: bits_per_second is derived from bytes and seconds',
      ]);
    },
  );

  it('give the third where two are left', () => {
    const of = (sum_received: object) =>
      numbersOf(readTest(result({ start: { test_start: { protocol: 'TCP' } }, end: { sum_received } }), null));
    expect(of({ seconds: 2, bits_per_second: 800 })).toMatchObject([{ bytes: 200 }]);
    expect(of({ bytes: 200, bits_per_second: 800 })).toMatchObject([{ seconds: 2 }]);
    expect(of({ bytes: 200, bits_per_second: 0 })).toEqual([]);
    expect(of({ bits_per_second: 800 })).toEqual([]);
    expect(of({ bytes: 200 })).toEqual([]);
    expect(of({ bytes: 200, seconds: 0 })).toEqual([]);
    expect(of({ bytes: 1e300, seconds: 1 })).toEqual([]);
    expect(of({ bits_per_second: 1e300, seconds: 1 })).toEqual([]);
    expect(of({ bits_per_second: 1e-300, bytes: 1e15 })).toEqual([]);
    expect(of({ bytes: -5, seconds: 1, bits_per_second: 'fast' })).toEqual([]);
  });

  it('of which the rate contradicts the other two leave it out, and it is derived', () => {
    const of = (sum_received: object) =>
      readTest(result({ start: { test_start: { protocol: 'TCP' } }, end: { sum_received } }), null);
    for (const bits_per_second of [1e300, 0, 2_000_003, 499_999]) {
      const reading = of({ bytes: 1_250_000, seconds: 10, bits_per_second });
      expect(numbersOf(reading)).toMatchObject([
        { bits_per_second: 1e6, bytes: 1_250_000, seconds: 10, derived: true },
      ]);
      expect(reading.warnings).toEqual([
        `upload: bits_per_second of ${bits_per_second} does not fit bytes and seconds, and was dropped`,
        'upload: bits_per_second is derived from bytes and seconds',
      ]);
    }
    expect(of({ bytes: 1_250_000, seconds: 10, bits_per_second: 1_950_000 }).warnings).toEqual([]);
    expect(classOf(of({ bytes: 1000, seconds: 0, bits_per_second: 0 }))).toBe('malformed');
    expect(classOf(of({ bytes: 0, seconds: 10, bits_per_second: 1e6 }))).toBe('link-lost');
    expect(classOf(of({ bytes: 0, seconds: 0, bits_per_second: 0 }))).toBe('link-lost');
  });

  it('of the sender alone are no measurement', () => {
    const streams = [{ sender: { bytes: 9, seconds: 1, end: 1 } }];
    expect(classOf(readTest(result({ end: { streams } }), plan('tcp-upload')))).toBe('malformed');
  });

  it('of retransmits and round trip times are left out', () => {
    const stdout = compact('v3.12__tcp_up.json')
      .replaceAll('"retransmits":16', '"retransmits":-1')
      .replaceAll(/"mean_rtt":\d+/g, '"mean_rtt":0');
    const [numbers] = numbersOf(readTest(result(stdout), null));
    expect(numbers).not.toHaveProperty('retransmits');
    expect(numbers).not.toHaveProperty('rtt_ms');
  });

  it('of a sender without TCP_INFO are absent', () => {
    const stdout = compact('v3.12__tcp_up.json').replaceAll(/"retransmits":\d+,/g, '');
    expect(numbersOf(readTest(result(stdout), null))[0]).not.toHaveProperty('retransmits');
  });
});

describe('UDP numbers that make no sense', () => {
  const udp = (replace: [string | RegExp, string][], file = 'v3.12__udp_down.json') =>
    readTest(result(replace.reduce((text, [from, to]) => text.replaceAll(from, to), compact(file))), null);

  it('a jitter of 6e8 ms is dropped', () => {
    const reading = udp([[/"jitter_ms":[\d.]+/g, '"jitter_ms":600000000']]);
    expect(numbersOf(reading)[0]).not.toHaveProperty('jitter_ms');
    expect(reading.warnings).toEqual(['download: jitter of 600000000 ms was dropped']);
  });

  it('a loss below zero counts as none', () => {
    const reading = udp([
      ['"lost_packets":0,"packets":153,"lost_percent":0', '"lost_packets":-3,"packets":153,"lost_percent":-1.96'],
    ]);
    expect(numbersOf(reading)).toMatchObject([{ packets: 153, lost_packets: 0, lost_percent: 0 }]);
    expect(reading.warnings).toEqual(['download: loss of -3 packets (-1.96%) was taken as none']);
  });

  it('a loss above 100% is dropped', () => {
    const reading = udp([
      ['"lost_packets":0,"packets":153,"lost_percent":0', '"lost_packets":306,"packets":153,"lost_percent":200'],
    ]);
    const [numbers] = numbersOf(reading);
    expect(numbers).toMatchObject({ bytes: 5013504, packets: 153 });
    expect(numbers).not.toHaveProperty('lost_packets');
    expect(numbers).not.toHaveProperty('lost_percent');
    expect(reading.warnings).toEqual(['download: loss of 306 in 153 packets (200%) was dropped']);
  });

  it('a loss without percent gets it, or none where nothing was counted', () => {
    const reading = udp([
      ['"lost_packets":0,"packets":153,"lost_percent":0', '"lost_packets":51,"packets":153,"lost_percent":nan'],
    ]);
    expect(numbersOf(reading)[0]?.lost_percent).toBeCloseTo(100 / 3, 9);
    const none = udp([['"lost_packets":0,"packets":153,"lost_percent":0', '"x":1']]);
    expect(numbersOf(none)[0]).not.toHaveProperty('lost_percent');
  });

  it('a loss above 100% before 3.11 leaves a download with what its intervals counted, an upload with nothing', () => {
    const replace: [RegExp, string][] = [[/"lost_packets":\d+,"packets":6\d+/g, '"lost_packets":900,"packets":600']];
    const down = udp(replace, 'v3.1.3__udp_down.json');
    expect(numbersOf(down)).toMatchObject([{ bytes: 1720320 + 1916928, packets: 287 + 324, lost_packets: 77 + 90 }]);
    expect(numbersOf(down)[0]?.bits_per_second).toBeCloseTo(((1720320 + 1916928) * 8) / (1.000106 + 1.000022), 3);
    const up = udp([[/"lost_packets":\d+,"packets":571/g, '"lost_packets":900,"packets":571']], 'v3.1.3__udp_up.json');
    expect(classOf(up)).toBe('malformed');
  });

  it('a run of which nothing arrived is a lost link, not a success', () => {
    const old = udp([[/"lost_packets":\d+,"packets":571/g, '"lost_packets":0,"packets":0']], 'v3.1.3__udp_up.json');
    expect(failureOf(old)).toEqual({ class: 'link-lost', message: 'the receiver counted no bytes', retryable: true });
    const all = udp([[/"lost_packets":\d+,"packets":571/g, '"lost_packets":571,"packets":571']], 'v3.1.3__udp_up.json');
    expect(classOf(all)).toBe('link-lost');
  });

  it('of two directions of which nothing arrived are a lost link, and of one leave the other its numbers', () => {
    const dead = (direction: string) => (text: string) =>
      text.replace(
        new RegExp(`("${direction}":\\{[^}]*?"bytes":)\\d+,"bits_per_second":[\\d.e+]+`),
        '$10,"bits_per_second":0',
      );
    const [upload, download] = [dead('sum_received'), dead('sum_received_bidir_reverse')];
    const whole = compact('v3.12__udp_bidir.json');
    const of = (stdout: string, stderr = '') =>
      readTest(result(stdout, { stderr, elapsed_ms: 60_000 }), plan('udp-bidir'));
    expect(of(download(whole))).toMatchObject({ ok: false, measurements: [{ direction: 'upload', bytes: 5013504 }] });
    expect(of(upload(whole))).toMatchObject({ ok: false, measurements: [{ direction: 'download' }] });
    expect(failureOf(of(upload(whole)))).toMatchObject({ class: 'link-lost' });
    expect(of(upload(download(whole)))).toMatchObject({ failure: { class: 'unreachable' }, measurements: [] });
    expect(of(download(whole), 'iperf3: error - the server has terminated\n')).toMatchObject({
      ok: false,
      measurements: [],
    });
  });

  it('sums that are missing are made of the streams', () => {
    const text = compact('v3.1.3__udp_p3.json');
    const reading = readTest(
      result(text.replace('}],"sum":{"start":0,"end":2.000202', '}],"gone":{"start":0,"end":2.000202')),
      plan('udp-upload'),
    );
    const [whole] = numbersOf(readTest(result(text), null));
    const [summed] = numbersOf(reading);
    expect(summed).toMatchObject({ bytes: whole?.bytes, packets: whole?.packets, lost_packets: whole?.lost_packets });
    expect(summed?.bits_per_second).toBeCloseTo(whole?.bits_per_second ?? 0, 2);
    expect(summed?.jitter_ms).toBeCloseTo(whole?.jitter_ms ?? 0, 5);
  });
});

describe('an output that is cut off', () => {
  it('after the sums keeps them', () => {
    const reading = readTest(result(cutAfter(compact('v3.12__tcp_up.json'), '"host_total"')), plan('tcp-upload'));
    expect(numbersOf(reading)).toMatchObject([{ bytes: BYTES_UP }]);
    expect(reading.warnings).toEqual(['the output is cut off']);
  });

  it('after the streams is the sum over them', () => {
    const whole = compact('v3.12__tcp_p4.json');
    const reading = readTest(result(cutAfter(whole, '"sum_sent"')), plan('tcp-upload', { streams: 4 }));
    const [numbers] = numbersOf(reading);
    const [reference] = numbersOf(readTest(result(whole), null));
    expect(numbers?.bytes).toBe(6406799360);
    expect(numbers?.seconds).toBeCloseTo(2.00172, 6);
    expect(numbers?.bits_per_second).toBeCloseTo(25605176987.7905, 3);
    expect(numbers?.retransmits).toBe(reference?.retransmits);
    expect(reading.warnings).toEqual(['the output is cut off', 'upload: throughput is the sum over the streams']);
  });

  it('in the sum of the receiver counts what the older sum of UDP tells', () => {
    const whole = compact('v3.12__udp_up.json');
    const reading = readTest(result(cutAfter(whole, '"sum_received":{"start":0,"end":2')), plan('udp-upload'));
    expect(numbersOf(reading)).toMatchObject([{ packets: 153, lost_packets: 0, bytes: 5013504 }]);
    expect(reading.warnings).toContain("upload: throughput is derived: the sender's rate less the packets lost");
  });

  it('between the streams has no sum: it would be too small', () => {
    const whole = compact('v3.12__tcp_p4.json');
    const end = whole.indexOf('"end":{');
    const second = whole.indexOf('"receiver"', whole.indexOf('"receiver"', end) + 1);
    expect(classOf(readTest(result(whole.slice(0, second)), null))).toBe('malformed');
  });

  it('in the reverse sums of a bidirectional test is split by its streams', () => {
    const whole = compact('v3.12__tcp_bidir.json');
    const reading = readTest(result(cutAfter(whole, '"sum_sent":{')), plan('tcp-bidir'));
    expect(numbersOf(reading)).toMatchObject([
      { direction: 'upload', bytes: 2316173312, seconds: 2.007084, retransmits: 18 },
      { direction: 'download', bytes: 2103836672, seconds: 2.007084, retransmits: 21 },
    ]);
  });

  it('in the second half of a bidirectional test keeps the first', () => {
    const whole = compact('v3.12__tcp_bidir.json').replace(/"streams":\[\{"sender":.*?\}\}\]/, '"streams":[]');
    const reading = readTest(
      result(cutAfter(whole, '"sum_sent_bidir_reverse":{')),
      plan('tcp-bidir', { duration_s: 10 }),
    );
    expect(numbersOf(reading)).toMatchObject([{ test: 'tcp-bidir', direction: 'upload', bytes: 2316173312 }]);
    expect(reading.warnings).toContain('download: there are no usable numbers');
  });

  it('within the intervals of an upload has no honest numbers', () => {
    expect(failureOf(readTest(result(corpusText('malformed_truncated.json')), plan('tcp-upload')))).toEqual({
      class: 'malformed',
      message: 'the output has no usable numbers',
      retryable: false,
    });
  });

  it('before the sums of a TCP download keeps what the intervals counted', () => {
    const reading = readTest(result(cutAfter(compact('v3.12__tcp_down.json'), '"end":{')), plan('tcp-download'));
    const bytes = compact('v3.12__tcp_down.json')
      .match(/"sum":\{[^}]*?"bytes":(\d+)/g)
      ?.map((sum) => Number(sum.split(':').at(-1)));
    expect(bytes).toHaveLength(2);
    expect(numbersOf(reading)).toMatchObject([{ direction: 'download', bytes: (bytes?.[0] ?? 0) + (bytes?.[1] ?? 0) }]);
    expect(reading.warnings.at(-1)).toMatch(
      /^download: the sums are missing: throughput is that of 2 intervals, 2\.0\d+ s$/,
    );
  });

  it('before the sums of a UDP download keeps jitter and loss too', () => {
    const [numbers] = numbersOf(
      readTest(result(cutAfter(compact('v3.12__udp_down.json'), '"end":{')), plan('udp-download')),
    );
    expect(numbers).toMatchObject({ bytes: 5013504, packets: 153, lost_packets: 0, lost_percent: 0 });
    expect(numbers?.jitter_ms).toBeCloseTo(0.035015296694522413, 12);
  });

  it('does not count omitted intervals, nor those of the sender in a bidirectional test', () => {
    const omitted = readTest(result(cutAfter(compact('v3.12__udp_omit2_down.json'), '"end":{')), plan('udp-download'));
    expect(numbersOf(omitted)).toMatchObject([{ packets: 382, bytes: 12517376 }]);
    const bidir = readTest(result(cutAfter(compact('v3.7__tcp_bidir.json'), '"end":{')), plan('tcp-bidir'));
    expect(numbersOf(bidir)).toMatchObject([{ direction: 'download', bytes: 866844619 + 2354708480 }]);
  });

  it('has what can be read of each interval, whatever stands beside it', () => {
    const good = { bytes: 125_000, seconds: 1, omitted: 'no', sender: null };
    const intervals = [{ streams: [good] }, { streams: 5 }, null, { streams: [] }, { streams: [good] }];
    const reading = readTest(result({ start: {}, intervals }), plan('tcp-download'));
    expect(numbersOf(reading)).toMatchObject([{ bits_per_second: 1e6, bytes: 250_000, seconds: 2 }]);
    const [noNumbers, noStream] = [{ streams: [good, { bytes: '5' }] }, { streams: [good, null] }];
    for (const damaged of [noNumbers, noStream])
      expect(classOf(readTest(result({ start: {}, intervals: [damaged] }), plan('tcp-download')))).toBe('malformed');
  });

  it('in the first half of a download is too short to say anything', () => {
    const stdout = cutAfter(compact('v3.12__tcp_down.json'), '"end":{');
    expect(classOf(readTest(result(stdout), plan('tcp-download', { duration_s: 5 })))).toBe('malformed');
    const intervals = [{ streams: [{ bytes: 5, sender: false }] }, 'junk'];
    expect(classOf(readTest(result({ start: {}, intervals }), plan('tcp-download')))).toBe('malformed');
    expect(
      classOf(
        readTest(
          result({ start: {}, intervals: [{ streams: [{ bytes: 9, seconds: 2, packets: 1 }] }] }),
          plan('udp-download'),
        ),
      ),
    ).toBeUndefined();
  });
});

describe('a plan', () => {
  it('gives the measurements its name', () => {
    expect(numbersOf(readTest(result(UP), plan('tcp-upload', { test: 'nightly' })))).toMatchObject([
      { test: 'nightly' },
    ]);
  });

  it.each([
    ['tcp-download', 'the output is of another test than planned: tcp upload'],
    ['udp-upload', 'the output is of another test than planned: tcp upload'],
  ])('of %s refuses the output of another test', (test, message) => {
    expect(failureOf(readTest(result(UP), plan(test)))).toEqual({ class: 'malformed', message, retryable: false });
  });

  it('of one direction refuses a bidirectional output', () => {
    expect(classOf(readTest(result(corpusText('v3.12__tcp_bidir.json')), plan('tcp-upload')))).toBe('malformed');
  });

  it('of both directions refuses an intact output of one', () => {
    const reading = readTest(result(UP), plan('tcp-bidir'));
    expect(classOf(reading)).toBe('malformed');
  });

  it.each(['tcp', 'udp'])('is not needed where the output lacks test_start: %s', (protocol) => {
    const text = compact(`v3.1.3__${protocol}_up.json`).replace('"test_start"', '"lost"');
    expect(numbersOf(readTest(result(text), null))).toMatchObject([{ protocol, direction: 'upload' }]);
  });

  it('is needed where the output tells nothing', () => {
    expect(failureOf(readTest(result({ start: {}, end: { streams: [] } }), null))?.message).toBe(
      'the output does not say what was tested',
    );
  });

  it.each(['SCTP', 'constructor'])('cannot help with a protocol that is not measured: %s', (protocol) => {
    expect(failureOf(readTest(result(UP.replace('"TCP"', `"${protocol}"`)), null))).toMatchObject({
      class: 'malformed',
      message: `the output is of a ${protocol} test`,
    });
  });
});

describe("the device's kill timer", () => {
  const silent = { stdout: '', stderr: '', exit_code: null };

  it('tells of a silent server when nothing else does, up to a second early, as the guard counts whole seconds', () => {
    const limit_ms = 1000 * (2 + 1 + 10) - 2000 - 1000;
    const tcp = plan('tcp-upload', { omit_s: 1 });
    expect(failureOf(readTest({ ...silent, elapsed_ms: limit_ms }, tcp))).toEqual({
      class: 'unreachable',
      message: 'the server stayed silent and was given up after 10 s',
      retryable: true,
    });
    expect(classOf(readTest({ ...silent, elapsed_ms: limit_ms - 1 }, tcp))).toBe('local');
    expect(classOf(readTest({ ...silent, elapsed_ms: limit_ms }, null))).toBe('local');
    expect(classOf(readTest(silent, tcp))).toBe('local');
  });

  it.each(['v3.1.3', 'v3.7', 'v3.9', 'v3.12', 'v3.16', 'v3.17.1', 'v3.20'])(
    'explains the interrupt of %s',
    (version) => {
      const interrupted = corpusOutput(`${version}__err_sigterm.json`);
      expect(classOf(readTest({ ...interrupted, elapsed_ms: 13_000 }, plan('tcp-upload', { duration_s: 5 })))).toBe(
        'unreachable',
      );
      expect(classOf(readTest({ ...interrupted, elapsed_ms: 3_000 }, plan('tcp-upload', { duration_s: 5 })))).toBe(
        'local',
      );
    },
  );

  it('leaves an answer of the server as it is: busy is never a zero', () => {
    const late = { ...corpusOutput('v3.12__err_busy.json'), elapsed_ms: 60_000 };
    expect(classOf(readTest(late, plan('tcp-upload')))).toBe('busy');
  });

  it('does not take a good measurement away', () => {
    expect(readTest(result(UP, { elapsed_ms: 60_000 }), plan('tcp-upload')).ok).toBe(true);
  });

  it('does not explain an output that says that nothing arrived', () => {
    const empty = readTest(corpusOutput('v3.12__tcp_bytes10k.json'), null);
    expect(classOf(empty)).toBe('link-lost');
  });
});

describe('versions of which there is no captured output', () => {
  it('3.0.11 prints uname before the JSON, and no round trip times', () => {
    const start = {
      version: 'iperf 3.0.11',
      system_info: 'Linux OpenWrt 4.14.63 #0 Wed Aug 15 20:42:39 2018 mips GNU/Linux\n',
      test_start: { protocol: 'TCP', num_streams: 1, omit: 0, duration: 2, reverse: 0 },
    };
    const sum = { start: 0, end: 2, seconds: 2, bytes: 2500000, bits_per_second: 1e7 };
    const end = {
      streams: [{ sender: { ...sum, retransmits: 3 }, receiver: sum }],
      sum_sent: { ...sum, retransmits: 3 },
      sum_received: sum,
    };
    const reading = readTest(
      result(`Linux OpenWrt 4.14.63\n${JSON.stringify({ start, intervals: [], end })}`),
      plan('tcp-upload'),
    );
    expect(reading).toEqual({
      ok: true,
      version: '3.0.11',
      measurements: [
        {
          test: 'tcp-upload',
          protocol: 'tcp',
          direction: 'upload',
          bits_per_second: 1e7,
          bytes: 2500000,
          seconds: 2,
          retransmits: 3,
        },
      ],
      warnings: ['text around the JSON was ignored'],
    });
  });

  it('3.10.1 is split by streams as 3.7 is', () => {
    const reading = readTest(
      result(corpusText('v3.7__udp_bidir.json').replace('iperf 3.7', 'iperf 3.10.1+')),
      plan('udp-bidir'),
    );
    expect(reading.version).toBe('3.10.1');
    expect(numbersOf(reading)).toMatchObject([
      { direction: 'upload', bytes: 5013504, packets: 153 },
      { direction: 'download', bytes: 5111808, packets: 156 },
    ]);
  });

  it('3.19 exits 0 when terminated by a signal, with its sums beside the error', () => {
    const stdout = corpusText('v3.20__tcp_down.json')
      .replace('iperf 3.20', 'iperf 3.19')
      .replace(/\}\s*$/, ',"error":"interrupt - the client has terminated by signal Terminated(15)"}');
    expect(readTest(result(stdout), plan('tcp-download'))).toMatchObject({
      ok: false,
      version: '3.19',
      failure: { class: 'local', message: 'the client has terminated by signal Terminated(15)', retryable: false },
    });
  });

  it('3.21 with --json-stream puts the error into an event', () => {
    const stdout = [
      '{"event":"start","data":{"version":"iperf 3.21","connected":[]}}',
      '{"event":"error","data":"the server is busy running a test. try again later"}',
      '{"event":"end","data":{}}',
    ].join('\n');
    expect(readTest(result(stdout), null)).toMatchObject({ ok: false, version: '3.21', failure: { class: 'busy' } });
  });

  it('3.18 with --json-stream-full-output prints both shapes', () => {
    const events = corpusText('v3.17.1__tcp_jsonstream.jsonl');
    const [, whole] = [events, corpusText('v3.17.1__tcp_up.json')];
    expect(numbersOf(readTest(result(events + whole), null))).toEqual(numbersOf(readTest(result(whole), null)));
  });

  it('a --json-stream that ends early keeps the intervals of a download', () => {
    const lines = corpusText('v3.20__tcp_jsonstream.jsonl')
      .replaceAll('"sender":true', '"sender":false')
      .replace('"reverse":0', '"reverse":1')
      .split('\n');
    const reading = readTest(result(lines.slice(0, 3).join('\n')), plan('tcp-download'));
    expect(numbersOf(reading)).toMatchObject([{ direction: 'download' }]);
    expect(reading.warnings).toEqual([
      'the output is cut off',
      expect.stringMatching(/^download: the sums are missing: throughput is that of 2 intervals/),
    ]);
  });
});
