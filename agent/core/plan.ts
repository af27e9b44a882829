import type { PrepareCommand, TestPlan } from '../../broker/contract/messages.ts';
import { LEASE_SLACK_MS, testLimitMs } from '../../broker/contract/numbers.ts';
import { each } from './each.ts';
import { field, fits, isId, isLine, isList, isText, isWhole } from './shape.ts';

/** Caps for every agent, whatever its owner allows: what iperf3 itself takes, and an hour a test. */
const MOST_TESTS = 32;
const LONGEST_DURATION_S = 3600;
const LONGEST_OMIT_S = 60;
const MOST_STREAMS = 128;
const HIGHEST_BITRATE = 1000000000000;
const SHORTEST_LENGTH = 16;
const LONGEST_TCP_LENGTH = 1048576;
const LONGEST_UDP_LENGTH = 65507;
const LARGEST_WINDOW = 536870912;
const LONGEST_CREDENTIAL = 1000;
const LONGEST_KEY = 8192;

/** A host name, an IPv4 or an IPv6 address; never something that a program would take for an option. */
const isHost = (value: unknown): value is string =>
  fits(value, /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,252}$/) ||
  fits(value, /^[0-9A-Fa-f:.]{0,45}:[0-9A-Fa-f:.]{0,45}(%[A-Za-z0-9_.-]{1,15})?$/);

const readAuth = (raw: unknown, problems: string[]): PrepareCommand['server']['auth'] => {
  if (raw == null) return null;
  const username = field(raw, 'username');
  const password = field(raw, 'password');
  const public_key = field(raw, 'public_key');
  if (isLine(username, LONGEST_CREDENTIAL) && isLine(password, LONGEST_CREDENTIAL) && isText(public_key, LONGEST_KEY))
    return { username, password, public_key };
  push(problems, 'server.auth: expected username, password and public_key (PEM)');
  return null;
};

/** Reads one test and adds what is wrong with it to `problems`; what is wrong has a harmless value in the answer. */
const readTest = (raw: unknown, place: string, problems: string[]): TestPlan => {
  const id = field(raw, 'test');
  const test = isId(id) ? id : place;
  if (test !== id) push(problems, `${place}.test: expected an id`);
  const whole = (name: string, low: number, high: number, value: unknown): number => {
    if (isWhole(value, low, high)) return value;
    push(problems, `${place}.${name}: expected a whole number from ${low} to ${high}`);
    return low;
  };
  const wholeOrNull = (name: string, low: number, high: number): number | null => {
    const value = field(raw, name);
    return value == null ? null : whole(name, low, high, value);
  };
  const protocol = field(raw, 'protocol');
  if (protocol !== 'tcp' && protocol !== 'udp') push(problems, `${place}.protocol: expected tcp or udp`);
  const direction = field(raw, 'direction');
  if (direction !== 'upload' && direction !== 'download' && direction !== 'bidir')
    push(problems, `${place}.direction: expected upload, download or bidir`);
  const congestion = field(raw, 'congestion');
  if (congestion != null && !fits(congestion, /^[a-z0-9_][a-z0-9_-]{0,14}$/))
    push(problems, `${place}.congestion: expected the name of an algorithm`);
  return {
    test,
    protocol: protocol === 'udp' ? 'udp' : 'tcp',
    direction: direction === 'download' || direction === 'bidir' ? direction : 'upload',
    duration_s: whole('duration_s', 1, LONGEST_DURATION_S, field(raw, 'duration_s')),
    omit_s: whole('omit_s', 0, LONGEST_OMIT_S, field(raw, 'omit_s') ?? 0),
    streams: whole('streams', 1, MOST_STREAMS, field(raw, 'streams') ?? 1),
    bitrate: field(raw, 'bitrate') === 'auto' ? 'auto' : wholeOrNull('bitrate', 1, HIGHEST_BITRATE),
    length: wholeOrNull('length', SHORTEST_LENGTH, protocol === 'udp' ? LONGEST_UDP_LENGTH : LONGEST_TCP_LENGTH),
    window: wholeOrNull('window', 1, LARGEST_WINDOW),
    congestion: congestion == null ? null : `${congestion}`,
  };
};

/** What the tests of a plan may take together: the longest lease that makes sense for it. */
const longestLeaseMs = (tests: TestPlan[]): number => {
  const total = { ms: LEASE_SLACK_MS };
  each(tests, (plan) => {
    total.ms += testLimitMs(plan.duration_s, plan.omit_s);
  });
  return total.ms;
};

/**
 * Reads the `prepare` of `run`, which came from outside. With `problems` empty, the command may be used as it is: its `lease_ms` is never
 * longer than its tests may take. Otherwise `problems` lists all that is wrong, in ASCII, without quoting the sender.
 */
export const readPrepare = (run: string, raw: unknown): { command: PrepareCommand; problems: string[] } => {
  const problems: string[] = [];
  const server = field(raw, 'server');
  const host = field(server, 'host');
  const port = field(server, 'port');
  const list = field(raw, 'tests');
  const lease_ms = field(raw, 'lease_ms');
  const most = field(raw, 'max_cross_traffic');
  if (most != null && !isWhole(most, 1, HIGHEST_BITRATE))
    push(problems, `max_cross_traffic: expected bit/s, a whole number from 1 to ${HIGHEST_BITRATE}`);
  if (!isHost(host)) push(problems, 'server.host: expected a host name or an address');
  if (!isWhole(port, 1, 65535)) push(problems, 'server.port: expected a port');
  if (!isList(list) || length(list) < 1 || length(list) > MOST_TESTS)
    push(problems, `tests: expected 1 to ${MOST_TESTS} tests`);
  if (type(lease_ms) !== 'int' || (lease_ms as number) < 1) push(problems, 'lease_ms: expected milliseconds');
  const tests = map(isList(list) ? slice(list, 0, MOST_TESTS) : [], (test, i) =>
    readTest(test, `tests[${i}]`, problems),
  );
  each(tests, (plan, i) => {
    if (length(filter(tests, (other, j) => j < i && other.test === plan.test)) > 0)
      push(problems, `tests[${i}].test: ${plan.test} is there twice`);
  });
  const command: PrepareCommand = {
    type: 'prepare',
    run,
    server: {
      host: isHost(host) ? host : '',
      port: isWhole(port, 1, 65535) ? port : 0,
      auth: readAuth(field(server, 'auth'), problems),
    },
    tests,
    max_cross_traffic: isWhole(most, 1, HIGHEST_BITRATE) ? most : null,
    lease_ms: min(type(lease_ms) === 'int' ? (lease_ms as number) : 0, longestLeaseMs(tests)),
  };
  return { command, problems };
};
