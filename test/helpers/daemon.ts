import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { until } from './until.ts';

/** Whether an HTTP server answers with a success. */
const answers = async (url: string): Promise<boolean> => {
  try {
    return (await fetch(url, { signal: AbortSignal.timeout(1000) })).ok;
  } catch {
    return false;
  }
};

/**
 * A server program that can be started, ended and started again on the same port and folder. `timeout` bounds its life, even
 * when the test is killed.
 */
export class Daemon {
  readonly #command: string[];
  readonly #health: string;
  readonly #life_s: number;
  #child: ChildProcess | null = null;

  constructor(command: string[], health: string, life_s = 120) {
    this.#command = command;
    this.#health = health;
    this.#life_s = life_s;
  }

  /** Resolves when it answers. */
  async start(): Promise<void> {
    const child = spawn('timeout', ['--kill-after=5', String(this.#life_s), ...this.#command], {
      stdio: 'ignore',
      detached: true,
    });
    this.#child = child;
    await until(`${this.#command[0]} answers`, () => {
      if (child.exitCode !== null) throw new Error(`${this.#command[0]} ended at once`);
      return answers(this.#health);
    });
  }

  /** Ends it, with KILL as a power cut would, or with TERM. */
  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (child?.pid === undefined || child.exitCode !== null) return;
    const ended = once(child, 'exit');
    process.kill(-child.pid, signal);
    await ended;
    await until(`${this.#command[0]} is gone`, async () => !(await answers(this.#health)));
  }
}
