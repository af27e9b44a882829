import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { SSH_PORT } from '../../config/ssh-address.ts';
import { ALL_SIGNATURES, readHostKey } from '../../drivers/ssh/host-key.ts';
import { CommandFailure, messageOf } from '../failure.ts';

interface Entry {
  revoked: boolean;
  host_key: string;
}

const LINE = /^(?:(@\S+)\s+)?([^\s#]\S*)\s+(\S+)\s+([A-Za-z0-9+/]+=*)(?:\s|$)/;

const likeness = (pattern: string): RegExp => {
  const literal = pattern.replace(/[.+^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${literal.replace(/\*+/g, '.*').replaceAll('?', '.')}$`);
};

/** Whether the first field of a line, which is more than plain names, is about a host. */
const matcherOf = (hosts: string): ((name: string) => boolean) => {
  const [, salt = '', hash] = /^\|1\|([^|]+)\|([^|]+)$/.exec(hosts) ?? [];
  if (hash !== undefined) {
    const key = Buffer.from(salt, 'base64');
    return (name) => createHmac('sha1', key).update(name).digest('base64') === hash;
  }
  const patterns = hosts.toLowerCase().split(',');
  const excluded = patterns.filter((one) => one.startsWith('!')).map((one) => likeness(one.slice(1)));
  const included = patterns.filter((one) => !one.startsWith('!')).map(likeness);
  return (name) => included.some((one) => one.test(name)) && !excluded.some((one) => one.test(name));
};

/** Best first, as a new device is asked. */
const rankOf = ({ host_key }: Entry): number => ALL_SIGNATURES.findIndex((type) => host_key.startsWith(`${type} `));

/** OpenSSH's file of host keys (sshd(8)), also with hashed names. Lines that it would not take are passed over. */
export class KnownHosts {
  readonly #plain = new Map<string, Entry[]>();
  readonly #others: { isAbout: (name: string) => boolean; entry: Entry }[] = [];

  constructor(text: string) {
    for (const line of text.split(/\r?\n/)) {
      const [, marker, hosts = '', type = '', base64 = ''] = LINE.exec(line.trim()) ?? [];
      const entry = { revoked: marker === '@revoked', host_key: `${type} ${base64}` };
      // @cert-authority signs keys, it is none.
      if ((marker ?? '@revoked') === '@revoked' && readHostKey(entry.host_key) !== null) this.#add(hosts, entry);
    }
  }

  /** Throws CommandFailure when the file can't be read. */
  static read(file: string): KnownHosts {
    try {
      return new KnownHosts(readFileSync(file, 'utf8'));
    } catch (cause) {
      throw new CommandFailure(`cannot read the known hosts: ${messageOf(cause)}`, { cause });
    }
  }

  /** The key of a host that is not revoked, the best if there are several. */
  keyOf(host: string, port: number): string | null {
    const entries = this.#about(host, port);
    const revoked = new Set(entries.filter((entry) => entry.revoked).map(({ host_key }) => host_key));
    const good = entries.filter(({ host_key }) => !revoked.has(host_key));
    return good.toSorted((a, b) => rankOf(a) - rankOf(b))[0]?.host_key ?? null;
  }

  isRevoked(host: string, port: number, host_key: string): boolean {
    return this.#about(host, port).some((entry) => entry.revoked && entry.host_key === host_key);
  }

  #add(hosts: string, entry: Entry): void {
    if (/[*?!|]/.test(hosts)) this.#others.push({ isAbout: matcherOf(hosts), entry });
    else
      for (const name of hosts.toLowerCase().split(','))
        this.#plain.set(name, [...(this.#plain.get(name) ?? []), entry]);
  }

  #about(host: string, port: number): Entry[] {
    const name = port === SSH_PORT ? host.toLowerCase() : `[${host.toLowerCase()}]:${port}`;
    const others = this.#others.filter(({ isAbout }) => isAbout(name)).map(({ entry }) => entry);
    return [...(this.#plain.get(name) ?? []), ...others];
  }
}
