import { readHostKey } from '../../drivers/ssh/host-key.ts';

/** What somebody says about the host key of a device: all of it, or only its fingerprint. */
export type ExpectedKey = { host_key: string } | { fingerprint: string };

/** Reads a public key ("type base64", a comment may follow) or a fingerprint as OpenSSH shows it; null when it is neither. */
export const readExpectedKey = (text: string): ExpectedKey | null => {
  const [, fingerprint] = /^(SHA256:[A-Za-z0-9+/]{43})=?$/.exec(text) ?? [];
  if (fingerprint !== undefined) return { fingerprint };
  const key = readHostKey(text);
  return key === null ? null : { host_key: `${key.type} ${key.blob.toString('base64')}` };
};
