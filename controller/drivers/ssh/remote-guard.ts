import type { ClientChannel } from 'ssh2';
import type { Connection } from './connection.ts';
import { collect } from './output.ts';
import { openChannel } from './run-remotely.ts';

const STDOUT_LIMIT = 512 * 1024;
const STDERR_LIMIT = 16 * 1024;

/** How a guard ended: with iperf3's exit code, or null when it was killed or its channel broke: then iperf3 may be alive. */
export type OnGuardEnd = (exit_code: number | null) => void;

/**
 * A guard on a device: opening, waiting for its line, running, ended. Its channel is open from the beginning, so `say` costs one packet. What is
 * said while it opens is sent when it is open. `onEnd` is called once, `onFlood` whenever iperf3 says more than it is allowed to.
 */
export class RemoteGuard {
  #channel: ClientChannel | null = null;
  #unsaid = '';
  #over = false;
  /** Whether its end was told. */
  ended = false;
  stdout = () => '';
  stderr = () => '';

  constructor(connection: Connection, commandLine: string, onEnd: OnGuardEnd, onFlood: () => void) {
    const end = (exit_code: number | null) => {
      if (this.ended) return;
      this.ended = true;
      onEnd(exit_code);
    };
    openChannel(connection, commandLine, (channel) => {
      if (channel === null) return end(null);
      this.stdout = collect(channel, STDOUT_LIMIT, onFlood);
      this.stderr = collect(channel.stderr, STDERR_LIMIT, onFlood);
      channel.once('exit', (exit_code: number | null) => {
        if (exit_code === null) end(null);
      });
      // It comes after the end of stdout; what was said on stderr is there a moment later.
      channel.once('close', (exit_code?: number | null) => setImmediate(() => end(exit_code ?? null)));
      this.#channel = channel;
      channel.write(this.#unsaid);
      if (this.#over) channel.end();
    });
  }

  /** Sends text to its stdin. */
  say(text: string): void {
    if (this.#channel === null) this.#unsaid += text;
    else this.#channel.write(text);
  }

  /** The end of its stdin: it ends iperf3, if that runs, with TERM, and two seconds later with KILL. */
  over(): void {
    this.#over = true;
    this.#channel?.end();
  }
}
