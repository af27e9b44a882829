import type { TestOutput, TestPlan } from '../../broker/contract/messages.ts';
import { AUTO_BITRATE_SHARE, KILL_AFTER_TERM_MS, RETRY_DELAYS_MS, testLimitMs } from '../../broker/contract/numbers.ts';
import { type Figures, readFigures, saysBusyOrRefused } from '../iperf3/output.ts';
import { clientOf, disarm, nextKey } from './arming.ts';
import { sayDeclined } from './events.ts';
import type { Exit } from './io.ts';
import { keep, sayKept } from './kept.ts';
import { fitPayload } from './result.ts';
import type { Child, Running, State } from './state.ts';
import { act, isDue, log } from './state.ts';

/**
 * The run whose start was accepted. Its tests run one after another:
 *
 *     next ──spawn──▶ child alive ──exited──▶ next … ──▶ finished: stored, said, and sent a little later
 *                          └──busy or refused at once──▶ waiting ──▶ the same test again
 *
 * A cancelled run leaves its child behind (`leaving`) until the process is gone.
 * Invariant: a spawn happens only here, only without a child, and only before the end of the lease; every child is killed by its own
 * limit or the end of the lease, whichever is first.
 */

/** An exit this soon after its spawn is in the first moments of a test. */
const FIRST_MOMENTS_MS = 2000;

/** A test starts only if it would have this long before it is told to end. */
const SHORTEST_TEST_MS = 1000;

const hasTime = (running: Running, at_ms: number): boolean =>
  at_ms + SHORTEST_TEST_MS + KILL_AFTER_TERM_MS <= running.lease_end_ms;

/** The figure that `auto` is a share of; null when one that it needs was not measured. */
const tcpFigure = (plan: TestPlan, figures: Figures): number | null => {
  if (plan.direction === 'upload') return figures.upload;
  if (plan.direction === 'download') return figures.download;
  if (figures.upload == null || figures.download == null) return null;
  return min(figures.upload, figures.download);
};

const spawn = (state: State, running: Running, plan: TestPlan, bitrate: number | null): void => {
  const kill_at_ms = min(state.now_ms + testLimitMs(plan.duration_s, plan.omit_s), running.lease_end_ms);
  const key = running.armed ?? nextKey(state);
  running.armed = null;
  running.retry = null;
  state.child = {
    key,
    spawned_ms: state.now_ms,
    term_at_ms: kill_at_ms - KILL_AFTER_TERM_MS,
    kill_at_ms,
    termed: false,
    killed: false,
  };
  const client = clientOf(state, running.command, plan, bitrate, running.iperf3);
  act(state, {
    kind: 'spawn',
    key,
    argv: client.argv,
    env: client.env,
    key_file: client.key_file,
    until_ms: kill_at_ms,
  });
};

/** Ends the run: the result is stored first, then `finished` frees the slot. The result is sent a little later: kept.ts. */
const finish = (state: State, running: Running): void => {
  if (running.retry != null) push(running.outputs, running.retry.output);
  state.running = null;
  disarm(state, running.armed);
  fitPayload(running.outputs);
  const result = {
    run: running.command.run,
    token: running.token,
    nonce: running.nonce,
    tests: running.outputs,
  };
  act(state, { kind: 'store_result', result });
  sayKept(state, keep(state, result));
  log(state, 'info', `run ${result.run} finished`);
};

/** Starts the next test that may run, or ends the run. There must be no child. */
export const proceed = (state: State, running: Running) => {
  while (state.leave_by_ms == null && running.at < length(running.command.tests)) {
    if (!hasTime(running, state.now_ms)) {
      log(state, 'warn', `run ${running.command.run}: the lease ends before test ${running.at + 1}`);
      break;
    }
    const plan = running.command.tests[running.at] as TestPlan;
    const figure = tcpFigure(plan, running.figures);
    if (plan.bitrate !== 'auto') return spawn(state, running, plan, plan.bitrate);
    if (figure != null) {
      const share = int(figure * AUTO_BITRATE_SHARE);
      return spawn(state, running, plan, min(share, state.identity.limits.max_bitrate ?? share));
    }
    log(state, 'warn', `run ${running.command.run}: ${plan.test} is not run, TCP has no figure for its bitrate`);
    running.at += 1;
  }
  finish(state, running);
};

/** How long to wait before the same test is tried again, or null when its output is final. */
const retryDelay = (state: State, running: Running, child: Child, output: TestOutput): number | null => {
  const delay_ms = RETRY_DELAYS_MS[running.retries];
  if (delay_ms == null) return null;
  const isWorthIt =
    state.leave_by_ms == null &&
    !child.termed &&
    state.now_ms - child.spawned_ms <= FIRST_MOMENTS_MS &&
    hasTime(running, state.now_ms + delay_ms) &&
    saysBusyOrRefused(output.stdout, output.stderr);
  return isWorthIt ? delay_ms : null;
};

/** iperf3 has ended: try it again, go on with the next test, or be done; the slot of a cancelled run is free now. */
export const onExit = (state: State, exit: Exit): void => {
  const child = state.child;
  const running = state.running;
  const leaving = state.leaving;
  state.child = null;
  state.leaving = null;
  if (leaving != null) sayDeclined(state, leaving.run, leaving.token, leaving.nonce, 'cancelled: iperf3 has ended');
  if (child == null || running == null) return;
  const plan = running.command.tests[running.at] as TestPlan;
  const output: TestOutput = {
    test: plan.test,
    exit_code: exit.exit_code,
    stdout: exit.stdout,
    stderr: exit.stderr,
    started_ms: child.spawned_ms - running.accepted_ms,
    ended_ms: state.now_ms - running.accepted_ms,
    wan_bytes: exit.wan_bytes ?? null,
    system: exit.system ?? null,
  };
  const delay_ms = retryDelay(state, running, child, output);
  if (delay_ms != null) {
    running.retry = { at_ms: state.now_ms + delay_ms, output };
    running.retries += 1;
    return;
  }
  push(running.outputs, output);
  const figures = readFigures(plan, exit.stdout);
  running.figures.upload = figures.upload ?? running.figures.upload;
  running.figures.download = figures.download ?? running.figures.download;
  running.at += 1;
  running.retries = 0;
  proceed(state, running);
};

/** Asks iperf3 to end, KILL follows; nothing when it was asked before. */
export const endChild = (state: State, child: Child): void => {
  child.kill_at_ms = min(child.kill_at_ms, state.now_ms + KILL_AFTER_TERM_MS);
  if (child.termed) return;
  child.termed = true;
  act(state, { kind: 'kill', key: child.key, signal: 'TERM' });
};

/** Kills what has run long enough, and tries again what waited for it. */
export const checkTimers = (state: State): void => {
  const child = state.child;
  const running = state.running;
  if (child != null && isDue(state, child.term_at_ms)) endChild(state, child);
  if (child != null && !child.killed && isDue(state, child.kill_at_ms)) {
    child.killed = true;
    act(state, { kind: 'kill', key: child.key, signal: 'KILL' });
  }
  if (running?.retry != null && isDue(state, running.retry.at_ms)) proceed(state, running);
};
