import { isIP } from 'node:net';
import { hostName } from './leaf.ts';

/** Where an SSH server is, as people write it. */
export interface SshAddress {
  /** Null when it was left away. */
  user: string | null;
  host: string;
  port: number;
}

export const SSH_PORT = 22;

const ADDRESS = /^(?:([A-Za-z0-9_][A-Za-z0-9._-]{0,63})@)?(?:\[([^\]]+)\]|([^:@[\]]+))(?::(\d{1,5}))?$/;

/** Reads `[user@]host[:port]`, an IPv6 address with a port in brackets; null when it is something else. */
export const parseSshAddress = (text: string): SshAddress | null => {
  const [user, bare] = text.includes('@') ? text.split(/@(.*)/s) : [null, text];
  const bracketed = isIP(bare ?? '') === 6 ? `${user === null ? '' : `${user}@`}[${bare}]` : text;
  const match = ADDRESS.exec(bracketed);
  if (match === null) return null;
  const [, name = null, ipv6, plain = '', digits = SSH_PORT] = match;
  const host = ipv6 ?? plain;
  const isHost = ipv6 === undefined ? hostName.schema.safeParse(host).success : isIP(host) === 6;
  const port = Number(digits);
  return isHost && port >= 1 && port <= 65535 ? { user: name, host, port } : null;
};
