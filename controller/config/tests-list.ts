import type { TestPlan } from '../../broker/contract/messages.ts';
import { id, type Leaf, oneOf, optional, rateOrAuto, size, wholeNumber, wholeSeconds } from './leaf.ts';
import type { Path } from './problem.ts';
import type { Reader } from './reader.ts';

/** A run's tests travel in one MQTT message: 32 is its limit. */
const MAX_TESTS = 32;

/** iperf3's MAX_BLOCKSIZE for TCP; for UDP what fits into an IPv4 datagram, and its own header. */
const LENGTH = { tcp: size(1, 1024 ** 2), udp: size(16, 65_507) } as const;

/** iperf3's MAX_TCP_BUFFER. */
const WINDOW = size(1, 512 * 1024 ** 2);

const CONGESTION: Leaf<string> = {
  expected: 'the name of a congestion control algorithm, such as cubic or bbr',
  schema: id.schema.refine((name) => /^[a-z0-9_-]{1,15}$/.test(name)),
};

const DEFAULT_DURATION_S = 10;
const DEFAULT_OMIT_S = 1;

const FIELDS = {
  test: optional(id),
  protocol: oneOf('tcp', 'udp'),
  direction: oneOf('upload', 'download', 'bidir'),
  duration: optional(wholeSeconds(1, 3600)),
  omit: optional(wholeSeconds(0, 60)),
  streams: optional(wholeNumber('how many streams', 1, 128)),
  bitrate: optional(rateOrAuto),
  window: optional(WINDOW),
  congestion: optional(CONGESTION),
};

/** What a check measures unless it says otherwise: TCP both ways, then UDP upload at 80% of what TCP upload reached. */
export const DEFAULT_TESTS: readonly TestPlan[] = (
  [
    ['tcp', 'upload', null],
    ['tcp', 'download', null],
    ['udp', 'upload', 'auto'],
  ] as const
).map(([protocol, direction, bitrate]) => ({
  test: `${protocol}-${direction}`,
  protocol,
  direction,
  duration_s: DEFAULT_DURATION_S,
  omit_s: DEFAULT_OMIT_S,
  streams: 1,
  bitrate,
  length: null,
  window: null,
  congestion: null,
}));

const readTest = (reader: Reader, path: Path, raw: unknown): TestPlan & { named: boolean } => {
  const protocolGiven = (raw as { protocol?: unknown } | null)?.protocol === 'udp' ? 'udp' : 'tcp';
  const given = reader.fields(path, raw, { ...FIELDS, length: optional(LENGTH[protocolGiven]) });
  const { protocol = 'tcp', direction = 'upload', bitrate = null } = given;
  if (bitrate === 'auto' && protocol !== 'udp') {
    reader.problem(
      [...path, 'bitrate'],
      '"auto" for TCP',
      'auto only for UDP',
      'without bitrate TCP is as fast as it can be',
    );
  }
  if ((given.congestion ?? null) !== null && protocol !== 'tcp') {
    reader.problem([...path, 'congestion'], 'congestion for UDP', 'congestion only for TCP');
  }
  return {
    named: (given.test ?? null) !== null,
    test: given.test ?? `${protocol}-${direction}`,
    protocol,
    direction,
    duration_s: given.duration ?? DEFAULT_DURATION_S,
    omit_s: given.omit ?? DEFAULT_OMIT_S,
    streams: given.streams ?? 1,
    bitrate,
    length: given.length ?? null,
    window: given.window ?? null,
    congestion: given.congestion ?? null,
  };
};

/** The first of `name`, `name-2`, `name-3`, … that is free. */
const freeName = (name: string, taken: ReadonlySet<string>): string => {
  let number = 2;
  let free = name;
  while (taken.has(free)) free = `${name}-${number++}`;
  return free;
};

/** `tests` of a check. `auto` needs a TCP test of its direction before it: it is 80% of what that one measured. */
export const readTests = (reader: Reader, path: Path, raw: unknown): TestPlan[] => {
  const list = reader.list(path, raw, 'tests');
  if (Array.isArray(raw) && (list.length < 1 || list.length > MAX_TESTS)) {
    reader.problem(path, `${list.length} tests`, `1 to ${MAX_TESTS} tests`);
    return [];
  }
  const plans = list.map((entry, index) => readTest(reader, [...path, index], entry));
  const taken = new Set<string>();
  for (const [index, { named, test }] of plans.entries()) {
    if (!named) continue;
    if (taken.has(test))
      reader.problem([...path, index, 'test'], `"${test}" a second time`, 'a name of its own for each test');
    taken.add(test);
  }
  return plans.map(({ named, ...plan }, index) => {
    const { protocol, direction, bitrate } = plan;
    const measured = plans.slice(0, index).some((other) => other.protocol === 'tcp' && other.direction === direction);
    if (bitrate === 'auto' && protocol === 'udp' && !measured) {
      reader.problem(
        [...path, index, 'bitrate'],
        `"auto" without a TCP ${direction} test before it`,
        'a TCP test of the same direction earlier in the list, or a rate such as 20M',
      );
    }
    const test = named ? plan.test : freeName(plan.test, taken);
    taken.add(test);
    return { ...plan, test };
  });
};
