import { InvalidArgumentError } from 'commander';
import { parseSshAddress, type SshAddress } from '../../config/ssh-address.ts';
import { type ExpectedKey, readExpectedKey } from './expected-key.ts';

/** `user@host:port` as commander reads it. */
export const typedAddress = (text: string): SshAddress => {
  const address = parseSshAddress(text);
  if (address !== null) return address;
  throw new InvalidArgumentError('Expected user@host or user@host:port, such as root@192.0.2.1:22.');
};

/** A host key, or its fingerprint. */
export const typedKey = (text: string): ExpectedKey => {
  const key = readExpectedKey(text);
  if (key !== null) return key;
  throw new InvalidArgumentError("Expected a fingerprint, SHA256:…, or a public host key: 'ssh-ed25519 AAAA…'.");
};

/** For people: `root@192.0.2.1:22`. */
export const addressInWords = ({ user, host, port }: SshAddress): string =>
  `${user === null ? '' : `${user}@`}${host.includes(':') ? `[${host}]` : host}:${port}`;
