import type { TestPlan } from '../../broker/contract/messages.ts';
import { KILL_AFTER_TERM_MS, testLimitMs } from '../../broker/contract/numbers.ts';
import { CPU_BOUND_PERCENT } from './busy-device.ts';
import { crossTraffic } from './cross-traffic.ts';
import { directionSums, directionsOf, ownWords, type Shape } from './direction-sums.ts';
import { type Classified, classifyErrors, classifyStderr, failure } from './failure-table.ts';
import { type Figures, present, quantity } from './figures.ts';
import { intervalFigures } from './interval-figures.ts';
import { type Iperf3Text, readIperf3Text } from './iperf3-documents.ts';
import type { Iperf3Output } from './iperf3-output.ts';
import type { Failure, Measurement, Reading } from './measurement.ts';
import { tcpFigures } from './tcp-figures.ts';
import { udpFigures } from './udp-figures.ts';

/** What one iperf3 left behind. */
export interface Iperf3Result {
  stdout: string;
  stderr: string;
  exit_code: number | null;
  /** From spawn to exit; absent when nobody measured it. */
  elapsed_ms?: number;
  /** What went over the device's WAN meanwhile, both ways; absent or null when nobody counted it. */
  wan_bytes?: number | null | undefined;
}

/** The device's kill timer may fire this much early: the guard counts whole seconds, rounded down. */
const TIMER_TOLERANCE_MS = 1000;

/** 3.9 is the only version that has its errors on stderr alone, whatever it printed before. */
const isErrorOf39 = (version: string | null, stderr: string): boolean =>
  version === '3.9' && /^iperf3: (error|interrupt) - /m.test(stderr);

const versionOf = (output: Iperf3Output | null): string | null =>
  /iperf\s+(\d+(?:\.\d+)+)/.exec(output?.start.version ?? '')?.[1] ?? null;

/** The failure of a server that the device gave up waiting for; null if its kill timer cannot have fired. */
const givenUp = (elapsed_ms: number | undefined, plan: TestPlan | null): Failure | null => {
  if (plan === null || elapsed_ms === undefined) return null;
  if (elapsed_ms < testLimitMs(plan.duration_s, plan.omit_s) - KILL_AFTER_TERM_MS - TIMER_TOLERANCE_MS) return null;
  const waited_s = Math.round(elapsed_ms / 1000);
  return failure('unreachable', `the server stayed silent and was given up after ${waited_s} s`);
};

/** The plan's shape if the output does not contradict it; a text says what is wrong. */
const agreedShape = (output: Iperf3Output, plan: TestPlan | null): Shape | string => {
  const { protocol, direction, foreign } = ownWords(output);
  if (foreign !== undefined) return `the output is of a ${foreign} test`;
  if (plan === null) {
    return protocol === undefined
      ? 'the output does not say what was tested'
      : { protocol, direction: direction ?? 'upload' };
  }
  // Before 3.13 nothing in a cut off output tells a bidirectional test from an upload.
  const agrees =
    (protocol ?? plan.protocol) === plan.protocol &&
    ((direction ?? plan.direction) === plan.direction || (plan.direction === 'bidir' && direction === 'upload'));
  return agrees ? plan : `the output is of another test than planned: ${protocol} ${direction}`;
};

/** The measurements of the directions that have usable numbers: of damaged output also one of two, of intact output both or none. */
const measure = (
  text: Iperf3Text,
  output: Iperf3Output,
  shape: Shape,
  plan: TestPlan | null,
  warnings: string[],
): Measurement[] => {
  const cpu = output.end.cpu_utilization_percent;
  const cpu_device_percent = quantity(cpu?.host_total);
  const shared = {
    ...present({ cpu_device_percent, cpu_server_percent: quantity(cpu?.remote_total) }),
    ...((cpu_device_percent ?? 0) >= CPU_BOUND_PERCENT ? ({ cpu_bound: true } as const) : {}),
  };
  const planned_s = plan?.duration_s ?? output.start.test_start.duration ?? 0;
  const directions = directionsOf(shape.direction);
  const measurements = directions.flatMap((direction) => {
    const warn = (warning: string) => void warnings.push(`${direction}: ${warning}`);
    const sums = directionSums(output, direction, shape.direction === 'bidir');
    const fromEnd: Figures | null = (shape.protocol === 'tcp' ? tcpFigures : udpFigures)(sums, warn);
    const figures =
      fromEnd ?? (direction === 'download' ? intervalFigures(output, shape.protocol, planned_s, warn) : null);
    if (figures === null) warn('there are no usable numbers');
    const test = plan?.test ?? `${shape.protocol}-${shape.direction}`;
    return figures === null ? [] : [{ test, protocol: shape.protocol, direction, ...figures, ...shared }];
  });
  return measurements.length === directions.length || !text.intact ? measurements : [];
};

/** What the texts say about the cause. iperf3's stderr counts only where its JSON says nothing, warnings never. */
const causeOf = (text: Iperf3Text, stderr: string): Classified | null => {
  const connected = text.output?.start.connected.length ?? 0;
  return (
    classifyErrors(text.errors) ??
    classifyStderr(stderr, connected === 0 ? 'stderr-before-streams' : 'stderr') ??
    classifyStderr(text.outside, 'stderr')
  );
};

const withoutCause = ({ stdout, stderr, exit_code }: Iperf3Result, reason: string): Failure => {
  const ending = exit_code === null ? 'no exit code' : `exit code ${exit_code}`;
  if (stdout.trim() !== '') return failure('malformed', reason);
  const said = stderr.trim() === '' ? '' : `: ${stderr.trim()}`;
  return failure('local', `iperf3 printed no result (${ending})${said}`);
};

/**
 * Turns what one iperf3 (3.0 to 3.21) left behind into measurements or a classified failure. Never throws; linear in the length of the
 * output. `plan` null: the output's own words say what was tested. The exit code is not trusted. `text` is the result's stdout, if it was
 * read before.
 *
 * - An `error` makes the test a failure by its class, even beside usable sums. So does stderr of 3.9, which has no `error`.
 * - Damaged output keeps the numbers that can be read; `warnings` says what was dropped or derived. None: `malformed`.
 * - Sums that are there and say that nothing arrived: `link-lost`. What arrived in the other direction is a measurement all the same.
 * - No measurement, no other cause, and the device's kill timer had fired: `unreachable`. A cause that iperf3 names outranks the timer: a
 *   server that was busy late must not become a zero.
 */
export const readTest = (
  result: Iperf3Result,
  plan: TestPlan | null,
  text: Iperf3Text = readIperf3Text(result.stdout),
): Reading => {
  const { output } = text;
  const version = versionOf(output);
  const failed = (cause: Failure): Reading => ({
    ok: false,
    version,
    failure: cause,
    measurements: [],
    warnings: text.warnings,
  });

  const shape = output === null ? "the output is not iperf3's JSON" : agreedShape(output, plan);
  const warnings = [...text.warnings];
  const measurements = output === null || typeof shape === 'string' ? [] : measure(text, output, shape, plan, warnings);
  const arrived = measurements.filter(({ bytes }) => bytes > 0);
  const isWhole = arrived.length === measurements.length;

  const isFailure =
    text.errors.length > 0 || measurements.length === 0 || !isWhole || isErrorOf39(version, result.stderr);
  const cause = isFailure ? causeOf(text, result.stderr) : null;
  if (cause === null && output !== null && arrived.length > 0) {
    const cross = present({ cross_traffic: crossTraffic(result, output, measurements) });
    const read = { version, measurements: arrived.map((numbers) => ({ ...numbers, ...cross })), warnings };
    if (isWhole) return { ok: true, ...read };
    const silent = measurements.filter(({ bytes }) => bytes === 0).map(({ direction }) => direction);
    return { ok: false, ...read, failure: failure('link-lost', `the receiver of the ${silent} counted no bytes`) };
  }

  const timedOut = cause === null || cause.interrupted ? givenUp(result.elapsed_ms, plan) : null;
  if (timedOut !== null) return failed(timedOut);
  if (cause !== null) return failed(cause.failure);
  if (!isWhole) return failed(failure('link-lost', 'the receiver counted no bytes'));
  return failed(withoutCause(result, typeof shape === 'string' ? shape : 'the output has no usable numbers'));
};
