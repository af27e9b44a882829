import type { Clock } from '../../../broker/clock.ts';
import type { Log } from '../../../broker/log.ts';
import { type Connection, connect } from './connection.ts';
import type { Handshakes } from './handshakes.ts';
import type { PrivateKeys } from './private-keys.ts';
import { Remote, type RemoteOptions } from './remote.ts';
import { SshFailure } from './ssh-failure.ts';
import type { SshTarget } from './target.ts';

export interface LinkOptions {
  device: string;
  targetOf: (device: string) => SshTarget | SshFailure | null;
  clock: Clock;
  log: Log;
  handshakes: Handshakes;
  keys: PrivateKeys;
  onExit: RemoteOptions['onExit'];
  /** We are in, and nothing of an earlier session is left there. `target`: the settings that we got in with, to know others from them. */
  onUp: (target: string) => void;
  onFailed: (failure: SshFailure) => void;
  /** The connection is over, and it was not we who ended it. */
  onDown: (remote: Remote, target: string) => void;
}

interface Up {
  connection: Connection;
  remote: Remote;
  /** The settings that it was made with, to know others from them. */
  target: string;
}

const asFailure = (error: unknown): SshFailure =>
  error instanceof SshFailure ? error : new SshFailure('ssh-failed', String(error));

/** The way to a device: down, reaching, or up. There is never a second connection. */
export class Link {
  readonly #options: LinkOptions;
  readonly #end = new AbortController();
  #up: Up | null = null;
  #attempt: Promise<void> | null = null;

  /** Starts nothing yet. */
  constructor(options: LinkOptions) {
    this.#options = options;
  }

  /** The device, while we are in. */
  get remote(): Remote | null {
    return this.#up?.remote ?? null;
  }

  get isReaching(): boolean {
    return this.#attempt !== null;
  }

  /** Gets in, unless that is under way; `onUp` or `onFailed` follows. */
  reach(): void {
    if (this.#up === null && !this.#end.signal.aborted) this.#attempt ??= this.#reach();
  }

  /** Ends the connection if it was made with other settings than there are now. */
  renew(): void {
    const { targetOf, device } = this.#options;
    if (this.#up !== null && this.#up.target !== JSON.stringify(targetOf(device))) this.hangUp();
  }

  /** Ends the connection; nothing is called. */
  hangUp(): void {
    this.#up?.connection.end();
    this.#up = null;
  }

  /** Ends everything, and resolves when it is gone: within a second. */
  async stop(): Promise<void> {
    const closed = this.#up?.connection.closed;
    this.hangUp();
    this.#end.abort(new SshFailure('device-unreachable', 'the controller is being stopped'));
    await Promise.all([closed, this.#attempt]);
  }

  async #reach(): Promise<void> {
    const { onUp, onFailed, onDown } = this.#options;
    const up = await this.#enter().catch(asFailure);
    this.#attempt = null;
    if (this.#end.signal.aborted) return;
    if (up instanceof SshFailure) return onFailed(up);
    this.#up = up;
    void up.connection.closed.then(() => {
      if (this.#up !== up) return;
      this.#up = null;
      onDown(up.remote, up.target);
    });
    onUp(up.target);
  }

  async #enter(): Promise<Up> {
    const { device, targetOf, clock, log, handshakes, keys, onExit } = this.#options;
    const target = targetOf(device);
    if (target === null) throw new SshFailure('device-unreachable', 'it has no SSH settings');
    if (target instanceof SshFailure) throw target;
    const { signal } = this.#end;
    const connection = await connect(target, { clock, handshakes, keys, signal });
    const remote = new Remote({ device, connection, clock, log, onExit });
    signal.addEventListener('abort', connection.cut);
    void connection.closed.then(() => signal.removeEventListener('abort', connection.cut));
    try {
      await remote.enter();
    } catch (error) {
      connection.end();
      throw error;
    }
    const made_with = JSON.stringify(target);
    if (made_with === JSON.stringify(targetOf(device))) return { connection, remote, target: made_with };
    // The settings have changed meanwhile: it may be another router.
    connection.end();
    return this.#enter();
  }
}
