import type { Settings } from '../config/settings.ts';
import type { SshTarget } from '../drivers/ssh/target.ts';
import { sshCredentialsOf } from '../ssh-targets.ts';

/** A device, as far as it says where it is reached over SSH. */
interface Placed {
  device: string;
  organization: string;
  ssh?: { host: string; port: number; credentials: string | null } | null | undefined;
}

const hops = (proxy: SshTarget | null): string =>
  proxy === null ? '' : `${hops(proxy.proxy)}${proxy.host}:${proxy.port} `;

/** Where devices are reached over SSH: the jump hosts on the way, host and port. Each place is of one device, lest a router be measured twice at once. */
export class Places {
  readonly #settings: Settings;
  readonly #devices = new Map<string, string>();

  /** With the places of devices that are registered. */
  constructor(settings: Settings, registered: readonly Placed[]) {
    this.#settings = settings;
    for (const one of registered) this.take(one);
  }

  /** Gives a device its place, if it has one that nobody has yet; why it can't have it, in words. */
  take({ device, organization, ssh = null }: Placed): string[] {
    if (ssh === null) return [];
    const set = sshCredentialsOf(organization, ssh.credentials, this.#settings);
    const place = `${'proxy' in set ? hops(set.proxy) : ''}${ssh.host.toLowerCase()}:${ssh.port}`;
    const owner = this.#devices.get(place) ?? device;
    this.#devices.set(place, owner);
    return owner === device ? [] : [`ssh: ${owner} is at ${ssh.host}, port ${ssh.port}, too: is it the same router?`];
  }
}
