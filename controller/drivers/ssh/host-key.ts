import { createHash } from 'node:crypto';

/** What an SSH server showed. */
export interface HostKey {
  /** "algorithm base64", to be pinned. */
  host_key: string;
  /** As OpenSSH shows it: "SHA256:…" without padding. */
  fingerprint: string;
}

/** The algorithms of signatures with which a server may prove each type of key, best first. */
const SIGNATURES = {
  'ssh-ed25519': ['ssh-ed25519'],
  'ecdsa-sha2-nistp256': ['ecdsa-sha2-nistp256'],
  'ecdsa-sha2-nistp384': ['ecdsa-sha2-nistp384'],
  'ecdsa-sha2-nistp521': ['ecdsa-sha2-nistp521'],
  // SHA-1 last: dropbear before 2020.79 (OpenWrt 19.07) has nothing else.
  'ssh-rsa': ['rsa-sha2-512', 'rsa-sha2-256', 'ssh-rsa'],
} as const;

type KeyType = keyof typeof SIGNATURES;
export type Signature = (typeof SIGNATURES)[KeyType][number];

const isKeyType = (type: string): type is KeyType => Object.hasOwn(SIGNATURES, type);

/** Of a new device the best key is asked for, in this order. */
export const ALL_SIGNATURES: readonly Signature[] = Object.values(SIGNATURES).flat();

/** The type in an SSH public key: it begins with its own length (RFC 4253 section 6.6). */
const typeOf = (blob: Buffer): string => {
  const length = blob.length < 4 ? 0 : blob.readUInt32BE(0);
  return blob.subarray(4, 4 + length).toString('latin1');
};

/** `SHA256:…` of a public key, as `ssh-keygen -l` shows it. */
const fingerprintOf = (blob: Buffer): string =>
  `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`;

/** The key that a server showed, for pinning. */
export const hostKeyOf = (blob: Buffer): HostKey => ({
  host_key: `${typeOf(blob)} ${blob.toString('base64')}`,
  fingerprint: fingerprintOf(blob),
});

/** A pinned key, ready to be compared. */
export interface PinnedKey {
  type: KeyType;
  blob: Buffer;
  signatures: readonly Signature[];
  fingerprint: string;
}

/** An SSH public key is a row of strings, each behind its length: a part of one is none. */
const isWhole = (blob: Buffer): boolean => {
  let at = 0;
  while (at + 4 <= blob.length) at += 4 + blob.readUInt32BE(at);
  return at === blob.length;
};

/** Reads "algorithm base64", a comment may follow; null when it is not a host key that can be verified. */
export const readHostKey = (text: string): PinnedKey | null => {
  const [type = '', base64 = ''] = text.trim().split(/\s+/);
  const blob = Buffer.from(base64, 'base64');
  if (!isKeyType(type) || typeOf(blob) !== type || !isWhole(blob)) return null;
  return { type, blob, signatures: SIGNATURES[type], fingerprint: fingerprintOf(blob) };
};
