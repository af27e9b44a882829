import { Readable, Writable } from 'node:stream';
import { type Clock, systemClock } from '../../../broker/clock.ts';
import type { Io, Signal } from '../../../controller/cli/io.ts';

/** An output that keeps what is written to it. */
export class CapturedOutput extends Writable {
  readonly isTTY: boolean;
  readonly columns: number | undefined;
  text = '';

  constructor(isTTY: boolean) {
    super({ decodeStrings: false });
    this.isTTY = isTTY;
    this.columns = isTTY ? 120 : undefined;
  }

  override _write(chunk: string | Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

/** The world around a command, in the hands of a test. */
export class CapturedIo implements Io {
  readonly stdin: Readable & { isTTY?: boolean };
  readonly stdout: CapturedOutput;
  readonly stderr: CapturedOutput;
  readonly env: NodeJS.ProcessEnv;
  readonly clock: Clock;
  readonly #handlers = new Map<Signal, Set<() => void>>();

  constructor({
    stdin = '',
    isTTY = false,
    env = {},
    clock = systemClock,
  }: { stdin?: string; isTTY?: boolean; env?: NodeJS.ProcessEnv; clock?: Clock } = {}) {
    this.stdin = Object.assign(Readable.from([Buffer.from(stdin)]), { isTTY });
    this.stdout = new CapturedOutput(isTTY);
    this.stderr = new CapturedOutput(isTTY);
    this.env = env;
    this.clock = clock;
  }

  onSignal(signal: Signal, handler: () => void): () => void {
    const handlers = this.#handlers.get(signal) ?? new Set();
    this.#handlers.set(signal, handlers.add(handler));
    return () => handlers.delete(handler);
  }

  /** Sends a signal; how many took it (none: a real process would have died of it). */
  signal(signal: Signal): number {
    const handlers = [...(this.#handlers.get(signal) ?? [])];
    for (const handler of handlers) handler();
    return handlers.length;
  }
}
