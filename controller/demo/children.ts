import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Clock } from '../../broker/clock.ts';

/** A child gets this long to end after TERM, then it is killed. */
const KILL_AFTER_MS = 6000;

/** Child processes that are all gone after `stop()`. */
export class Children {
  readonly #clock: Clock;
  readonly #running = new Set<ChildProcess>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Starts a program. Its stdin is a pipe that this process holds, so it sees the end of file when this process dies; `onOutput`
   * gets what it says on stdout and stderr, `onExit` is called when it ends before `stop()`.
   */
  spawn(
    command: string,
    args: string[],
    options: { env: NodeJS.ProcessEnv; onOutput: (text: string) => void; onExit: (reason: string) => void },
  ): ChildProcess {
    const child = spawn(command, args, { env: options.env, stdio: ['pipe', 'pipe', 'pipe'] });
    this.#running.add(child);
    child.stdout.setEncoding('utf8').on('data', options.onOutput);
    child.stderr.setEncoding('utf8').on('data', options.onOutput);
    child.once('error', (error) => this.#ended(child, options.onExit, error.message));
    child.once('exit', (code, signal) =>
      this.#ended(child, options.onExit, `it ended with ${signal ?? `code ${code}`}`),
    );
    return child;
  }

  /** TERM to all, KILL to those that are still there 6 s later. */
  async stop(): Promise<void> {
    await Promise.all([...this.#running].map((child) => this.#end(child)));
  }

  async #end(child: ChildProcess): Promise<void> {
    this.#running.delete(child);
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    const disarm = this.#clock.after(KILL_AFTER_MS, () => child.kill('SIGKILL'));
    await exited;
    disarm();
  }

  #ended(child: ChildProcess, onExit: (reason: string) => void, reason: string): void {
    if (this.#running.delete(child)) onExit(reason);
  }
}
