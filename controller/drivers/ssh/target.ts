/** How to log in. Texts, already read from their files. */
export type SshAuth =
  /** PEM or OpenSSH private key, Ed25519 or RSA (ECDSA works, too). */
  | { key: string; passphrase: string | null }
  | { password: string }
  /** Path of an agent's socket. */
  | { agent: string };

/** An SSH server, how to get there, and what it must be: plain data, with secrets, so never logged. */
export interface SshTarget {
  /** Name or address, as it is seen from `proxy` if there is one. */
  host: string;
  port: number;
  user: string;
  /** The only key that it may show: "algorithm base64", as in the second and third field of known_hosts. */
  host_key: string;
  auth: SshAuth;
  /** The jump host, which is verified in the same way. */
  proxy: SshTarget | null;
}

/** For people: `root@192.0.2.1:22`. */
export const nameOf = ({ user, host, port }: Pick<SshTarget, 'user' | 'host' | 'port'>): string =>
  `${user}@${host.includes(':') ? `[${host}]` : host}:${port}`;
