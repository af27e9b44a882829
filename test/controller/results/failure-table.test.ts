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

/**
 * Every message of iperf_strerror (src/iperf_error.c) of iperf3 3.0.1 to 3.21, with where the text of errno begins. What is not about the
 * server, the connection or somebody's limits is `local`.
 */
const STRERROR: [FailureClass, string[]][] = [
  ['busy', ['the server is busy running a test. try again later']],
  [
    'unreachable',
    [
      'unable to connect to server: Connection refused',
      'unable to connect to server - server may have stopped running or use a different port, firewall issue, etc.: No route to host',
      'unable to connect stream: Connection timed out',
    ],
  ],
  ['auth', ['test authorization failed', 'int_errno=142: ']],
  [
    'policy',
    [
      'total required bandwidth is larger than server limit',
      "client's requested duration exceeds the server's maximum permitted limit",
      'server test duration expired: Success',
      'int_errno=27: Connection reset by peer',
      'int_errno=37: ',
      'int_errno=160: ',
    ],
  ],
  [
    'link-lost',
    [
      'unable to accept connection from client: x',
      'unable to accept stream connection: x',
      'unable to send cookie to server: x',
      'unable to receive cookie at server: x',
      'unable to write to the control socket: x',
      'unable to read from the control socket: x',
      'control socket has closed unexpectedly',
      'unable to send control message: x',
      'unable to send control message - port may not be available, the other side may have stopped running, etc.: x',
      'unable to receive control message: x',
      'unable to receive control message - port may not be available, the other side may have stopped running, etc.: x',
      'unable to send parameters to server: x',
      'unable to receive parameters from client: x',
      'unable to send results: x',
      'unable to receive results: x',
      'select failed: x',
      'the server has terminated',
      'unable to write to stream socket: x',
      'unable to read from stream socket: x',
      'stream socket has closed unexpectedly',
      'idle timeout for receiving data',
      'int_errno=144: ',
    ],
  ],
  [
    'local',
    [
      'the client has terminated',
      'the client has terminated by signal Interrupt(2)',
      'received an unknown control message',
      'received an unknown control message (ensure other side is iperf3 and not iperf)',
      'no error',
      'int_errno=999: ',
      'cannot be both server and client',
      'must either be a client (-c) or server (-s)',
      'some option you are trying to set is server only',
      'some option you are trying to set is client only',
      'test duration too long (maximum = 86400 seconds)',
      'test duration valid values are 0 to 86400 seconds',
      'number of parallel streams too large (maximum = 128)',
      'block size too large (maximum = 1048576 bytes)',
      'block size invalid (minimum = 16 bytes, maximum = 65507 bytes)',
      'socket buffer size too large (maximum = 536870912 bytes)',
      'invalid report interval (min = 0.1, max = 60 seconds)',
      '--bind must be specified to use --cport',
      'bad TOS value (must be between 0 and 255 inclusive)',
      'you must specify a username, password, and path to a valid RSA public key',
      'you must specify username (max 20 chars), password (max 20 chars) and a path to a valid public rsa client to be used',
      'you must specify a path to a valid RSA private key and a user credential file',
      'you must specify path to a valid private rsa server to be used and a user credential file',
      'cannot access authorized users file',
      'bad format specifier (valid formats are in the set [kmgtKMGT])',
      'port number must be between 1 and 65535 inclusive',
      'TCP MSS too large (maximum = 9216 bytes)',
      'this OS does not support sendfile',
      'bogus value for --omit',
      'bogus value for --omit (maximum = 600 seconds)',
      'an option you are trying to set is not implemented yet',
      'unable to open -F file: x',
      'cannot transfer file using UDP',
      'invalid burst count (maximum = 1000)',
      'only one test end condition (-t, -n, -k) may be specified',
      'unable to open log file: x',
      'no SCTP support available',
      'unable to create a new test: x',
      'test initialization failed: x',
      'unable to start listener for connections: x',
      'unable to package results: x',
      'unable to set TCP NODELAY: x',
      'unable to set TCP/SCTP NODELAY: x',
      'unable to set TCP MSS: x',
      'unable to set TCP/SCTP MSS: x',
      'unable to set socket buffer size: x',
      'socket buffer size not set correctly',
      'unable to set socket window size: x',
      'unable to set IP TOS: x',
      'unable to set IPv6 traffic class: x',
      'unable to set IPv6 flow label',
      'unable to reuse address on socket: x',
      'unable to set socket to non-blocking: x',
      'protocol does not exist',
      'unable to set CPU affinity: x',
      'unable to become a daemon: x',
      'unable to set TCP_CONGESTION: Supplied congestion control algorithm not supported on this host',
      'unable to write PID file: x',
      'Unable to set/reset IPV6_V6ONLY: x',
      'unable to set SCTP_DISABLE_FRAGMENTS: x',
      'unable to set SCTP_INIT num of SCTP streams\n: x',
      'unable to set socket pacing: x',
      'unable to set TCP USER_TIMEOUT: x',
      'unable to set IP Do-Not-Fragment flag',
      'Unable to bind-to-device (check perror, maybe permissions?)',
      '`<ip>%<dev>` is not supported as system does not support bind to device',
      'host device name (ip%<dev>) is supported (and required) only for IPv6 link-local address',
      'cannot be both reverse and bidirectional',
      'invalid time interval for calculating average data rate',
      'skew threshold must be a positive number',
      'idle timeout parameter is not positive or larget then allowed limit',
      'idle timeout parameter is not positive or larger than allowed limit',
      'receive timeout value is incorrect or not in range: x',
      'send timeout value is incorrect or not in range: x',
      'client receive timeout is valid only in receiving mode: x',
      "invalid unit value or suffix: '12x'",
      'unable to create thread: x',
      'unable to cancel thread: x',
      'unable to join thread: x',
      'unable to create thread attributes: x',
      'unable to destroy thread attributes',
      'unable to change mask of blocked signals',
      'control connection Keepalive period should be larger than the full retry period (interval * count): x',
      'unable to set socket keepalive (SO_KEEPALIVE) option: x',
      'unable to set socket keepalive TCP period (TCP_KEEPIDLE) option: x',
      'unable to set/get socket keepalive TCP retry interval (TCP_KEEPINTVL) option: x',
      'unable to set/get socket keepalive TCP number of retries (TCP_KEEPCNT) option: x',
      'unable to create a new stream: Connection refused',
      'unable to initialize stream: x',
      'unable to start stream listener: x',
      'stream has an invalid id',
      'unable to create new timer: x',
      'unable to update timer: x',
    ],
  ],
];

describe('a message of iperf_strerror', () => {
  it.each(STRERROR.flatMap(([expected, texts]) => texts.map((text) => [expected, text] as const)))(
    'is %s: %s',
    (expected, text) => {
      // As 3.0 to 3.10, 3.11 to 3.13, and the two `error` keys of 3.21 have it.
      for (const error of [`error - ${text}`, text, `SERVER ERROR - ${text}, errno: Success`])
        expect(failureOf(readTest(withError(error), null))?.class).toBe(expected);
      const stderr = `iperf3: error - ${text}\n`;
      expect(failureOf(readTest({ stdout: '', stderr, exit_code: 1 }, null))?.class).toBe(expected);
    },
  );
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
