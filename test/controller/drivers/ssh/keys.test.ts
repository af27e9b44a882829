import { expect, it } from 'vitest';
import { readHostKey } from '../../../../controller/drivers/ssh/host-key.ts';
import { PrivateKeys } from '../../../../controller/drivers/ssh/private-keys.ts';
import { nameOf } from '../../../../controller/drivers/ssh/target.ts';
import { newKey } from '../../../helpers/ssh-server.ts';

it('reads a host key, also with a comment, and nothing else', () => {
  const { public_key } = newKey('rsa');
  expect(readHostKey(`${public_key.trim()} somebody@somewhere`)).toMatchObject({
    type: 'ssh-rsa',
    signatures: ['rsa-sha2-512', 'rsa-sha2-256', 'ssh-rsa'],
    fingerprint: expect.stringMatching(/^SHA256:[A-Za-z0-9+/]{43}$/),
  });
  for (const bad of ['', 'ssh-ed25519', 'toString AAAA', `ssh-ed25519 ${public_key.split(' ')[1]}`])
    expect(readHostKey(bad)).toBe(null);
});

it('reads a private key once, and each passphrase is another key', () => {
  const keys = new PrivateKeys();
  const { key, public_key } = newKey('ed25519', 'sesame');
  const read = keys.read(key, 'sesame');
  expect(keys.read(key, 'sesame')).toBe(read);
  expect(() => keys.read(key, 'barley')).toThrow();
  expect(() => keys.read(public_key, null)).toThrow('it is a public key');
});

it('names a target as people write it', () => {
  expect(nameOf({ user: 'root', host: '192.0.2.1', port: 22 })).toBe('root@192.0.2.1:22');
  expect(nameOf({ user: 'root', host: '2001:db8::1', port: 22 })).toBe('root@[2001:db8::1]:22');
});
