import { describe, expect, it } from 'vitest';
import type { FailureClass } from '../../../controller/results/measurement.ts';
import { readTest } from '../../../controller/results/read-test.ts';

const withError = (error: unknown) => ({
  stdout: JSON.stringify({ start: { connected: [], version: 'iperf 3.12' }, intervals: [], end: {}, error }),
  stderr: '',
  exit_code: 0,
});

const failureOf = (reading: ReturnType<typeof readTest>) => (reading.ok ? null : reading.failure);

const ERRORS: [FailureClass, string][] = [
  ['busy', 'the server is busy running a test. try again later'],
  ['unreachable', 'unable to connect to server: Connection refused'],
  ['unreachable', 'unable to connect to server: No route to host'],
  ['unreachable', 'unable to connect to server: Permission denied'],
  [
    'unreachable',
    'unable to connect to server - server may have stopped running or use a different port, firewall issue, etc.: Operation timed out',
  ],
  ['unreachable', 'unable to connect stream: Connection timed out'],
  ['auth', 'test authorization failed'],
  ['link-lost', 'control socket has closed unexpectedly'],
  ['link-lost', 'unable to send control message: Bad file descriptor'],
  [
    'link-lost',
    'unable to receive control message - port may not be available, the other side may have stopped running, etc.: Connection reset by peer',
  ],
  ['link-lost', 'unable to write to stream socket: Connection reset by peer'],
  ['link-lost', 'unable to read from stream socket: Resource temporarily unavailable'],
  ['link-lost', 'unable to read from the control socket: Connection timed out'],
  ['link-lost', 'unable to send cookie to server: Broken pipe'],
  ['link-lost', 'stream socket has closed unexpectedly'],
  ['link-lost', 'idle timeout for receiving data'],
  ['link-lost', 'unable to receive results: Interrupted system call'],
  ['link-lost', 'select failed: Bad file descriptor'],
  ['link-lost', 'unable to accept stream connection: Connection timed out'],
  ['link-lost', 'the server has terminated'],
  ['policy', 'total required bandwidth is larger than server limit'],
  ['policy', "client's requested duration exceeds the server's maximum permitted limit"],
  ['policy', 'server test duration expired'],
  ['local', 'the client has terminated by signal Terminated(15)'],
  ['local', 'received an unknown control message (ensure other side is iperf3 and not iperf)'],
  ['local', 'parameter error - cannot be both reverse and bidirectional'],
  ['local', 'unable to create a new stream: Permission denied'],
  ['local', 'unable to set TCP_CONGESTION: Supplied congestion control algorithm not supported on this host'],
  ['local', 'something that no iperf3 has ever said'],
];

describe('an error text', () => {
  it.each(ERRORS)('is %s: %s', (expected, text) => {
    for (const prefix of ['', 'error - ', 'SERVER ERROR - ', 'error - SERVER ERROR - ', 'interrupt - ']) {
      expect(failureOf(readTest(withError(prefix + text), null))).toEqual({
        class: expected,
        message: text,
        retryable: ['busy', 'unreachable', 'link-lost'].includes(expected),
      });
    }
  });

  it('that is no text is a failure all the same', () => {
    expect(failureOf(readTest(withError({ code: 7 }), null))).toMatchObject({ class: 'local', message: '{}' });
    expect(failureOf(readTest(withError(7), null))).toMatchObject({ class: 'local', message: '7' });
  });

  it('that is null is no error', () => {
    expect(failureOf(readTest(withError(null), null))).toMatchObject({ class: 'malformed' });
  });

  it('twice (3.21) counts by the one that is known, whichever comes first', () => {
    const twice = (one: string, other: string) => ({
      stdout: `{"start":{"connected":[],"version":"iperf 3.21"},"intervals":[],"end":{},"error":"${one}","error":"${other}"}`,
      stderr: '',
      exit_code: 1,
    });
    const busy = 'error - the server is busy running a test. try again later';
    expect(failureOf(readTest(twice(busy, 'sender cancel in pthread_cancel - x'), null))?.class).toBe('busy');
    expect(failureOf(readTest(twice('sender cancel in pthread_cancel - x', busy), null))?.class).toBe('busy');
  });

  it('is cut to a length that fits in a message', () => {
    expect(failureOf(readTest(withError('x'.repeat(5000)), null))?.message).toHaveLength(300);
  });
});

const STDERR: [FailureClass, string][] = [
  [
    'local',
    "iperf3: unrecognized option '--bidir'\nUsage: iperf3 [-s|-c host] [options]\nTry `iperf3 --help' for more information.\n",
  ],
  [
    'local',
    'iperf3: parameter error - must either be a client (-c) or server (-s)\n\nUsage: iperf3 [-s|-c host] [options]\n',
  ],
  ['local', 'sh: iperf3: not found'],
  ['local', 'spawn iperf3 ENOENT'],
  ['local', 'sh: 1: exec: iperf3: Permission denied'],
  ['local', 'Error loading shared library libiperf.so.0: No such file or directory (needed by /usr/bin/iperf3)'],
  ['local', 'Segmentation fault (core dumped)'],
  ['local', 'Killed'],
  ['local', 'iperf3: error - a text of a version to come'],
  ['unreachable', 'iperf3: error - unable to connect to server: Name or service not known'],
  ['busy', 'iperf3: error - the server is busy running a test. try again later'],
  ['local', ''],
  ['local', 'warning: this system does not seem to support IPv6 - trying IPv4'],
];

describe('stderr without any stdout', () => {
  it.each(STDERR)('is %s: %j', (expected, stderr) => {
    expect(failureOf(readTest({ stdout: '', stderr, exit_code: 1 }, null))?.class).toBe(expected);
  });

  it('and without an exit code is told as such', () => {
    expect(failureOf(readTest({ stdout: ' \n', stderr: '', exit_code: null }, null))).toEqual({
      class: 'local',
      message: 'iperf3 printed no result (no exit code)',
      retryable: false,
    });
    expect(failureOf(readTest({ stdout: '', stderr: 'odd\n', exit_code: 139 }, null))?.message).toBe(
      'iperf3 printed no result (exit code 139): odd',
    );
  });
});

describe('stderr of 3.9', () => {
  const of39 = (connected: unknown[], stderr: string) => ({
    stdout: JSON.stringify({ start: { connected, version: 'iperf 3.9' }, intervals: [], end: {} }),
    stderr: `iperf3: error - ${stderr}\n`,
    exit_code: 1,
  });

  it.each([
    [[], 'unable to send control message: Connection reset by peer', 'busy'],
    [[], 'unable to send control message: Bad file descriptor', 'unreachable'],
    [[{ socket: 5 }], 'unable to send control message: Connection reset by peer', 'link-lost'],
    [[{ socket: 5 }], 'unable to send control message: Bad file descriptor', 'link-lost'],
  ])('with streams %j and "%s" is %s', (connected, stderr, expected) => {
    expect(failureOf(readTest(of39(connected, stderr), null))?.class).toBe(expected);
  });
});

describe('text output instead of JSON', () => {
  it('is classified by the error in it', () => {
    const stdout =
      'Connecting to host 10.0.0.1, port 5201\niperf3: error - unable to connect stream: No route to host\n';
    expect(failureOf(readTest({ stdout, stderr: '', exit_code: 1 }, null))?.class).toBe('unreachable');
  });

  it('is malformed when there is none', () => {
    expect(failureOf(readTest({ stdout: '[  5]   0.00-1.00   sec', stderr: '', exit_code: 0 }, null))).toEqual({
      class: 'malformed',
      message: "the output is not iperf3's JSON",
      retryable: false,
    });
  });
});
