import { type ChildProcess, spawn } from 'node:child_process';
import { systemClock } from '../../broker/clock.ts';
import { findProgram } from '../../controller/demo/find-program.ts';
import { until } from './until.ts';

/** How a program ended: with an exit code, or by a signal. */
export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** What has not ended this long after TERM is killed. Milliseconds. */
const KILL_AFTER_MS = 12_000;

/** A program of ours as a process. It dies with this process, however that ends. */
export class Program {
  readonly name: string;
  readonly ended: Promise<Ended>;
  stdout = '';
  stderr = '';
  readonly #child: ChildProcess;

  /** Starts it; `command` is the program and its arguments. */
  constructor(command: readonly string[], env: NodeJS.ProcessEnv) {
    this.name = command.slice(0, 3).join(' ');
    // The PATH in `env` may hold anything; it is the program's.
    const setpriv = findProgram('setpriv', process.env) ?? 'setpriv';
    const child = spawn(setpriv, ['--pdeathsig', 'KILL', ...command], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
    this.ended = new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, signal) => resolve({ code, signal }));
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Sends a signal and resolves when the process is gone; it is killed if it is not within `within_ms`. */
  async end(signal: NodeJS.Signals, within_ms = KILL_AFTER_MS): Promise<Ended> {
    this.#child.kill(signal);
    const disarm = systemClock.after(within_ms, () => this.#child.kill('SIGKILL'));
    const ended = await this.ended;
    disarm();
    return ended;
  }

  /** Waits until it has said something that matches, on stdout or stderr. */
  async says(pattern: RegExp, within_s = 30): Promise<RegExpExecArray> {
    return until(
      `${this.name} says ${pattern}`,
      () => {
        const found = pattern.exec(this.stdout) ?? pattern.exec(this.stderr);
        if (found === null && !this.running) throw new Error(`${this.name} ended: ${this.stdout}${this.stderr}`);
        return found;
      },
      within_s,
    );
  }
}
