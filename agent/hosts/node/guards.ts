import type { Clock } from '../../../broker/clock.ts';
import type { Log } from '../../../broker/log.ts';
import type { Action, Exit } from '../../core/io.ts';
import { dismiss, type Guard, type Kill, runGuarded, startGuard } from './guarded.ts';

type Of<K extends Action['kind']> = Extract<Action, { kind: K }>;

export interface GuardsOptions {
  /** The agent's folder. */
  state: string;
  /** How much nicer than the agent iperf3 is, 0 to 19. */
  nice: number;
  env: NodeJS.ProcessEnv;
  clock: Clock;
  log: Log;
  /** iperf3 has ended, or could not be started. */
  onExit: (key: number, exit: Exit) => void;
}

/** The guards of an agent, by the keys that the core gave them: those that wait, and those that run. */
export class Guards {
  readonly #options: GuardsOptions;
  /** Keys of guards that are to be started in a moment. */
  readonly #wanted = new Set<number>();
  readonly #waiting = new Map<number, Guard>();
  readonly #running = new Map<number, Kill>();

  constructor(options: GuardsOptions) {
    this.#options = options;
  }

  /** Lets a guard wait for the `spawn` with its key. It is started when `ready` has left: that takes milliseconds. */
  arm(action: Of<'arm'>): void {
    this.#wanted.add(action.key);
    setImmediate(() => this.#start(action));
  }

  /** Ends a guard that waits, if there is one. */
  disarm(key: number): void {
    const guard = this.#take(key);
    if (guard !== null) dismiss(guard);
  }

  /** Runs iperf3, under the guard that waits for it or a new one. */
  spawn(action: Of<'spawn'>): void {
    const { clock, onExit } = this.#options;
    const { key } = action;
    const kill = runGuarded(action, { ...this.#options, now_ms: clock.now(), waiting: this.#take(key) }, (exit) => {
      this.#running.delete(key);
      onExit(key, exit);
    });
    this.#running.set(key, kill);
  }

  kill({ key, signal }: Of<'kill'>): void {
    this.#running.get(key)?.(signal);
  }

  /** Kills all that runs. */
  killAll(): void {
    for (const kill of this.#running.values()) kill('KILL');
  }

  #start(action: Of<'arm'>): void {
    if (!this.#wanted.delete(action.key)) return;
    const { log } = this.#options;
    const onError = (error: Error) => log.debug({ error: error.message }, 'no guard could be started ahead of time');
    const guard = startGuard(action, this.#options, onError);
    if (guard !== null) this.#waiting.set(action.key, guard);
  }

  #take(key: number): Guard | null {
    const guard = this.#waiting.get(key) ?? null;
    this.#wanted.delete(key);
    this.#waiting.delete(key);
    return guard;
  }
}
