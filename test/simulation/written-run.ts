import type { Action, AgentIdentity } from '../../agent/core/io.ts';
import { argv } from '../../agent/iperf3/argv.ts';
import { saysBusyOrRefused } from '../../agent/iperf3/output.ts';
import type { PrepareCommand, TestOutput } from '../../broker/contract/messages.ts';
import { KILL_AFTER_TERM_MS, RETRY_DELAYS_MS, testLimitMs } from '../../broker/contract/numbers.ts';
import type { PromiseName } from './promises.ts';

interface Child {
  key: number;
  spawned_at: number;
  term_at: number;
  kill_at: number;
  termed: boolean;
  killed: boolean;
}

/** A test is not begun with less than this left of the lease. */
const SHORTEST_MS = 3000;

/** A run whose start the written agent accepted: its tests, one after the other, and when each has to end (L5). */
export class WrittenRun {
  readonly run: string;
  readonly token: number;
  readonly nonce: string;
  readonly outputs: TestOutput[] = [];
  /** When all tests are over if nothing goes wrong, give or take. */
  readonly tests_end: number;
  child: Child | null = null;
  retry_at: number | null = null;
  readonly #command: PrepareCommand;
  readonly #identity: AgentIdentity;
  readonly #accepted_at: number;
  readonly #lease_end: number;
  #at = 0;
  #spawns = 0;
  #retries = 0;

  constructor(
    command: PrepareCommand,
    token: number,
    nonce: string,
    now: number,
    identity: AgentIdentity,
    broken: PromiseName | null,
  ) {
    this.run = command.run;
    this.token = token;
    this.nonce = nonce;
    this.#command = command;
    this.#identity = identity;
    this.#accepted_at = now;
    this.tests_end = now + command.tests.reduce((sum, test) => sum + 1000 * (test.duration_s + test.omit_s), -500);
    this.#lease_end = broken === 'ends-are-bounded' ? Number.POSITIVE_INFINITY : now + command.lease_ms;
  }

  isPastItsTests(now: number): boolean {
    return now >= this.tests_end;
  }

  /** The next test's client, or the same again; null when the run is through. */
  next(now: number): Action | null {
    this.retry_at = null;
    const plan = this.#command.tests[this.#at];
    if (plan === undefined || now + SHORTEST_MS > this.#lease_end) return null;
    const bounded = this.#lease_end !== Number.POSITIVE_INFINITY;
    const kill_at = bounded
      ? Math.min(now + testLimitMs(plan.duration_s, plan.omit_s), this.#lease_end)
      : Number.POSITIVE_INFINITY;
    this.#spawns += 1;
    const key = 1000 * this.token + this.#spawns;
    this.child = {
      key,
      spawned_at: now,
      term_at: kill_at - KILL_AFTER_TERM_MS,
      kill_at,
      termed: false,
      killed: false,
    };
    const { host, port } = this.#command.server;
    const args = argv(plan, { host, port, username: null, key_path: null }, null, this.#identity.iperf3);
    return { kind: 'spawn', key, argv: args, env: {}, key_file: null, until_ms: kill_at };
  }

  /** Its client is gone: what that means for the test (L16: the first moments do not count). */
  exited(stdout: string, now: number): void {
    const { child } = this;
    const plan = this.#command.tests[this.#at];
    this.child = null;
    if (child === null || plan === undefined) return;
    const delay = RETRY_DELAYS_MS[this.#retries];
    const isFirstMoment = !child.termed && now - child.spawned_at <= 2000 && saysBusyOrRefused(stdout, '');
    if (isFirstMoment && delay !== undefined && now + delay + SHORTEST_MS <= this.#lease_end) {
      this.#retries += 1;
      this.retry_at = now + delay;
      return;
    }
    const started_ms = child.spawned_at - this.#accepted_at;
    const ended_ms = now - this.#accepted_at;
    this.outputs.push({ test: plan.test, exit_code: 0, stdout, stderr: '', started_ms, ended_ms });
    this.#at += 1;
    this.#retries = 0;
  }

  /** TERM now, KILL two seconds later. */
  end(now: number): Action[] {
    const { child } = this;
    if (child === null) return [];
    child.kill_at = Math.min(child.kill_at, now + KILL_AFTER_TERM_MS);
    if (child.termed) return [];
    child.termed = true;
    return [{ kind: 'kill', key: child.key, signal: 'TERM' }];
  }

  tend(now: number): Action[] {
    const { child } = this;
    if (child === null) return [];
    const actions = now >= child.term_at ? this.end(now) : [];
    if (child.killed || now < child.kill_at) return actions;
    child.killed = true;
    return [...actions, { kind: 'kill', key: child.key, signal: 'KILL' }];
  }

  /** When it wants to be looked at. */
  moments(): number[] {
    const { child, retry_at } = this;
    const moments = retry_at === null ? [] : [retry_at];
    if (child !== null && !child.termed) moments.push(child.term_at);
    if (child !== null && !child.killed) moments.push(child.kill_at);
    return moments.filter((at) => at !== Number.POSITIVE_INFINITY);
  }
}
