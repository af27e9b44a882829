import { setMaxListeners } from 'node:events';
import type { Clock } from '../../../broker/clock.ts';
import type { Inbound } from '../../../broker/contract/inbound.ts';
import type { Log } from '../../../broker/log.ts';
import type { Driver, PrepareOrder, StartOrder } from '../driver.ts';
import { sshBoot } from '../routes.ts';
import { fetchHostKey } from './connection.ts';
import { Handshakes } from './handshakes.ts';
import type { HostKey } from './host-key.ts';
import { PrivateKeys } from './private-keys.ts';
import { SshFailure } from './ssh-failure.ts';
import { SshSession } from './ssh-session.ts';
import type { SshTarget } from './target.ts';

export interface SshDriverOptions {
  /** How a device is reached now, or why it can't be; null when it has no SSH settings (any more). */
  targetOf: (device: string) => SshTarget | SshFailure | null;
  /** Takes what an agent would have published; never called before the method that brought it about has returned. */
  onMessage: (message: Inbound) => void;
  clock: Clock;
  /** A fresh random id for each nonce. */
  random: () => string;
  log: Log;
  /** The random id of this start of the controller; devices are reached as boot `sshBoot(boot)`. */
  boot: string;
  /** Version of perfleet. */
  version: string;
}

/**
 * Runs over SSH: each device that there is something to do for has a session, with an agent's core of its own in this process. Nobody else may
 * run iperf3 on it meanwhile, an agent neither.
 */
export class SshDriver implements Driver {
  readonly #options: SshDriverOptions;
  readonly #handshakes = new Handshakes();
  readonly #keys = new PrivateKeys();
  readonly #sessions = new Map<string, SshSession>();
  readonly #end = new AbortController();

  /** Starts nothing yet. */
  constructor(options: SshDriverOptions) {
    this.#options = options;
    // Each attempt to connect listens, and there may be dozens: no leak.
    setMaxListeners(0, this.#end.signal);
  }

  /** How many devices there is something to do for. */
  get sessions(): number {
    return this.#sessions.size;
  }

  /** The results that were not accepted yet. They are kept nowhere else: what ends this process takes them first. */
  get results(): Inbound[] {
    return [...this.#sessions.values()].flatMap((session) => session.results);
  }

  /** When the device can't be reached it is answered with `declined`, whose reason begins with an SshFailureCode. */
  prepare({ device, ...order }: PrepareOrder, { host, port, auth }: Parameters<Driver['prepare']>[1]): void {
    this.#sessionOf(device)?.command({ ...order, server: { host, port, auth } });
  }

  /** Not answered while the device can't be reached: an iperf3 of an earlier controller may be running there. */
  start({ device, ...order }: StartOrder): void {
    this.#sessionOf(device)?.command({ type: 'start', ...order });
  }

  cancel(device: string, run: string, reason: string): void {
    this.#sessions.get(device)?.command({ type: 'cancel', run, reason });
  }

  accepted(device: string, run: string, token: number): void {
    this.#sessions.get(device)?.command({ type: 'accepted', run, token });
  }

  /** The key that an SSH server shows; nothing is sent to it but the greeting. Rejects with an SshFailure. */
  fetchHostKey(host: string, port: number, proxy: SshTarget | null): Promise<HostKey> {
    const { clock } = this.#options;
    return fetchHostKey(
      { host, port, proxy },
      { clock, handshakes: this.#handshakes, keys: this.#keys, signal: this.#end.signal },
    );
  }

  /** Ends every iperf3 that runs over SSH, and all connections. Resolves within 4 s; commands that come later do nothing. */
  async stop(): Promise<void> {
    this.#end.abort(new SshFailure('device-unreachable', 'the controller is being stopped'));
    await Promise.all([...this.#sessions.values()].map((session) => session.stop()));
    this.#sessions.clear();
  }

  /** Null after `stop`. */
  #sessionOf(device: string): SshSession | null {
    const known = this.#sessions.get(device);
    if (known !== undefined) return known;
    if (this.#end.signal.aborted) return null;
    const { boot, ...around } = this.#options;
    const session = new SshSession({
      ...around,
      device,
      boot: sshBoot(boot),
      handshakes: this.#handshakes,
      keys: this.#keys,
      onOver: () => this.#sessions.delete(device),
    });
    this.#sessions.set(device, session);
    return session;
  }
}
