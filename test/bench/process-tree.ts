import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { processesWith } from '../helpers/processes.ts';
import { Program } from '../helpers/program.ts';
import { memoryOf } from './memory.ts';

/** All that a program starts inherits this. */
const MARK = 'PERFLEET_BENCH';

/** The kernel tells CPU time of children that are gone in hundredths of a second (USER_HZ, on every architecture that Linux has now). */
const NS_A_TICK = 10_000_000;

/** What is read of a process that may be gone by then. */
const unlessGone = (read: () => number): number => {
  try {
    return read();
  } catch {
    return 0;
  }
};

/** What the threads of a process have used, exactly: the first figure of schedstat. */
const threadsNs = (pid: number): number =>
  readdirSync(`/proc/${pid}/task`).reduce(
    (sum, task) => sum + Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'latin1').split(' ')[0]),
    0,
  );

/** What children have used that it has waited for: cutime and cstime, the 14th and 15th after the name. */
const goneNs = (pid: number): number => {
  const columns = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.split(' ') ?? [];
  return NS_A_TICK * (Number(columns[13]) + Number(columns[14]));
};

/** A program with all that it starts. */
export class ProcessTree {
  readonly #mark = randomUUID();
  readonly #program: Program;

  constructor(command: readonly string[], env: NodeJS.ProcessEnv) {
    this.#program = new Program(command, { ...env, [MARK]: this.#mark });
  }

  /** Throws with what it has said when it has ended. */
  check(): void {
    const { running, name, stdout, stderr } = this.#program;
    if (!running) throw new Error(`${name} ended:\n${stdout}${stderr}`);
  }

  #pids(): number[] {
    return processesWith(`${MARK}=${this.#mark}`).map(({ pid }) => pid);
  }

  get processes(): number {
    return this.#pids().length;
  }

  /** PSS of all processes together, in MiB. */
  pssMib(): number {
    return this.#pids().reduce((sum, pid) => sum + unlessGone(() => memoryOf(pid).pss_mib), 0);
  }

  /** CPU time so far, also of what has ended meanwhile, in milliseconds. */
  cpuMs(): number {
    const ns = this.#pids().reduce((sum, pid) => sum + unlessGone(() => threadsNs(pid) + goneNs(pid)), 0);
    return ns / 1e6;
  }

  async stop(): Promise<void> {
    if (this.#program.running) await this.#program.end('SIGTERM');
  }
}
