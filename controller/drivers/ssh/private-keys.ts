import { createHash } from 'node:crypto';
import ssh2, { type ParsedKey } from 'ssh2';

/**
 * Private keys that were read already. bcrypt makes that slow on purpose if there is a passphrase: half a second, in which this process does
 * nothing else.
 */
export class PrivateKeys {
  readonly #known = new Map<string, ParsedKey>();

  /** Reads a key in PEM or OpenSSH's format. Throws an Error that says why it cannot be read, without a secret. */
  read(key: string, passphrase: string | null): ParsedKey {
    const name = createHash('sha256')
      .update(JSON.stringify([key, passphrase]))
      .digest('base64');
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    const parsed = ssh2.utils.parseKey(key, passphrase ?? undefined);
    if (parsed instanceof Error) throw parsed;
    if (!parsed.isPrivateKey()) throw new Error('it is a public key');
    this.#known.set(name, parsed);
    return parsed;
  }
}
