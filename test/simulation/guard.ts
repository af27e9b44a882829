import { KILL_AFTER_TERM_MS } from '../../broker/contract/numbers.ts';
import type { Iperf3Client } from './iperf3-client.ts';
import type { Random } from './random.ts';

export interface GuardOptions {
  random: Random;
  /** A timer by the device's clock. */
  after: (ms: number, action: () => void) => () => void;
  client: Iperf3Client;
  /** From now; iperf3 is dead then at the latest. Infinity for a guard that does not look. */
  limit_ms: number;
  /** Whether it does not notice that its stdin has ended, as over a link that died. */
  is_deaf: boolean;
}

/** The guard of one iperf3: agent/iperf3/guard.ts as a process of the simulated device. It outlives its agent. */
export class Guard {
  readonly client: Iperf3Client;
  readonly #options: GuardOptions;
  readonly #cancels: (() => void)[] = [];

  constructor(options: GuardOptions) {
    this.#options = options;
    this.client = options.client;
    if (options.limit_ms === Number.POSITIVE_INFINITY) return;
    this.#later(options.limit_ms - KILL_AFTER_TERM_MS, () => this.client.signal('TERM'));
    this.#later(options.limit_ms, () => this.client.signal('KILL'));
  }

  /** TERM first, KILL after two seconds. */
  end(): void {
    this.client.signal('TERM');
    this.#later(KILL_AFTER_TERM_MS, () => this.client.signal('KILL'));
  }

  /** Its agent died: the pipe to its stdin is closed. */
  stdinEnds(): void {
    if (!this.#options.is_deaf) this.#later(this.#options.random.between(0, 1500), () => this.end());
  }

  /** Nothing is left to look after. */
  dispose(): void {
    for (const cancel of this.#cancels) cancel();
  }

  #later(ms: number, action: () => void): void {
    this.#cancels.push(this.#options.after(ms, action));
  }
}
