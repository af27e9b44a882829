import type { Clock } from '../../../broker/clock.ts';
import type { Inbound } from '../../../broker/contract/inbound.ts';
import type { Log } from '../../../broker/log.ts';
import type { Driver, PrepareOrder } from '../driver.ts';
import type { HostKey } from './host-key.ts';
import type { SshTarget } from './target.ts';

export interface SshDriverOptions {
  /** How a device is reached now; null when it has no SSH settings (any more). */
  targetOf: (device: string) => SshTarget | null;
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

/** The boot with which a device over SSH answers: it says that this controller itself is its agent. */
export const sshBoot = (boot: string): string => `ssh-${boot}`;

/** Runs over SSH: each engaged device has an agent core of its own in this process. */
export class SshDriver implements Driver {
  readonly options: SshDriverOptions;
  constructor(options: SshDriverOptions) {
    this.options = options;
  }
  prepare(_order: PrepareOrder, _server: Parameters<Driver['prepare']>[1]): void {}
  start(..._start: Parameters<Driver['start']>): void {}
  cancel(_device: string, _run: string, _reason: string): void {}
  accepted(_device: string, _run: string, _token: number): void {}
  /** Bounded; ends every iperf3 that runs over SSH. */
  async stop(): Promise<void> {}
  /** The key that an SSH server shows, for `device add`; nothing is sent to it but the greeting. Rejects with an SshFailure. */
  async fetchHostKey(_host: string, _port: number, _proxy: SshTarget | null): Promise<HostKey> {
    throw new Error('not yet');
  }
}
