import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { sleep, systemClock } from '../../broker/clock.ts';
import { type FoundProcess, processesWith } from '../helpers/processes.ts';
import { type Ended, Program } from '../helpers/program.ts';
import { withConfig } from '../helpers/shipped-agents.ts';
import { until } from '../helpers/until.ts';

/** Everything that an agent starts inherits this. */
const MARK = 'PERFLEET_CONFORMANCE';

/** How often all processes are looked through. */
const LOOK_MS = 50;

/** What has not stopped by then never will, however busy the machine. */
const STOP_MS = 60_000;

/** Programs that may be a guard. */
const SHELLS = ['sh', 'ash', 'dash', 'bash', 'busybox'];

const signal = (pid: number, name: NodeJS.Signals): void => {
  try {
    process.kill(pid, name);
  } catch {
    // it has ended in the meantime
  }
};

/** What a process has of its own in KiB; 0 when it is gone. Its program does not count: its share of that depends on who else runs the same. */
const memoryOf = (pid: number): number => {
  try {
    return Number(/^Anonymous:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1'))?.[1] ?? 0);
  } catch {
    return 0;
  }
};

const parentOf = (pid: number): number => {
  try {
    return Number(readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.split(' ')[1]);
  } catch {
    return 0;
  }
};

/** `root` and all that descends from it. */
const familyOf = (root: number): number[] => {
  const all = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const parents = all.map((name) => ({ pid: Number(name), parent: parentOf(Number(name)) }));
  const family = [root];
  for (const member of family) family.push(...parents.filter(({ parent }) => parent === member).map(({ pid }) => pid));
  return family;
};

/** The agent under test, as a process with all that it starts. */
export class AgentProcess {
  readonly #mark = randomUUID();
  readonly #program: Program;

  /** Starts `command`, a shell's line. */
  constructor(command: string, config: string, env: NodeJS.ProcessEnv) {
    this.#program = new Program(withConfig(command, config), { ...env, [MARK]: this.#mark });
  }

  /** Of the process that the command became. */
  get pid(): number {
    return this.#program.pid;
  }

  get running(): boolean {
    return this.#program.running;
  }

  /** All that it has printed. */
  get log(): string {
    return this.#program.stdout + this.#program.stderr;
  }

  get ended(): Promise<Ended> {
    return this.#program.ended;
  }

  /** The living processes of the agent: by what they have inherited, or descended from it. */
  processes(): FoundProcess[] {
    const family = this.running ? familyOf(this.pid) : [];
    const marked = processesWith(`${MARK}=${this.#mark}`);
    const others = family
      .filter((pid) => !marked.some((one) => one.pid === pid))
      .map((pid) => ({ pid, name: '', command: '' }));
    return [...marked, ...others];
  }

  /** Those that are an iperf3 client; a name may be of a script. */
  iperf3(): FoundProcess[] {
    return this.processes().filter(({ name, command }) => name === 'iperf3' && / -c /.test(command));
  }

  /** Of all its processes together, in KiB. */
  memory(): number {
    return this.processes().reduce((sum, { pid }) => sum + memoryOf(pid), 0);
  }

  /** Tells it to end, and waits until it has, or had to be killed. */
  async stop(): Promise<void> {
    await this.#program.end('SIGTERM', STOP_MS);
  }

  /** The process of the command is gone at once, without a goodbye. */
  async kill(): Promise<void> {
    await this.#program.end('SIGKILL');
  }

  /** Kills what is no shell, no sleep and no iperf3: the agent, whatever watches over it, but not its guards. */
  async killButGuards(): Promise<void> {
    const spared = (name: string) => ['iperf3', 'sleep', ...SHELLS].includes(name);
    for (const { pid, name } of this.processes()) if (!spared(name)) signal(pid, 'SIGKILL');
    await this.kill();
  }

  /** The same a little later: looking through all processes is not cheap. */
  async processesIn(ms: number): Promise<FoundProcess[]> {
    await sleep(systemClock, ms);
    return this.processes();
  }

  /** Resolves when no process of it is left. */
  async gone(): Promise<void> {
    const left = async () => (this.processes().length === 0 ? true : (await this.processesIn(LOOK_MS)).length === 0);
    await until('no process of the agent is left', left, 60);
  }

  /** Kills all of it, but for `spared`, and waits until it is gone. */
  async killAll(spared: readonly number[] = []): Promise<void> {
    const left = () => this.processes().filter(({ pid }) => !spared.includes(pid));
    // Stopped first: nobody notices that somebody else is gone.
    for (const { pid } of left()) signal(pid, 'SIGSTOP');
    await until('all of the agent is gone', async () => {
      const found = left();
      for (const { pid } of found) signal(pid, 'SIGKILL');
      if (found.length > 0) await sleep(systemClock, LOOK_MS);
      return found.length === 0;
    });
    await this.#program.ended;
  }
}
