import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { KnownHosts } from '../../../../controller/cli/ssh/known-hosts.ts';
import { newKey } from '../../../helpers/ssh-server.ts';
import { tempFolder } from '../../../helpers/temp-folder.ts';

const [ED25519, RSA] = [newKey('ed25519').public_key.trim(), newKey('rsa').public_key.trim()];
const OTHER = newKey('ed25519').public_key.trim();

test('a host is found by name or address, whatever its case, and with its port if that is not 22', () => {
  const known = new KnownHosts(`AP-1.example.net,192.0.2.1 ${ED25519} a comment\r\n[ap-1.example.net]:2222 ${OTHER}\n`);
  expect(known.keyOf('ap-1.EXAMPLE.net', 22)).toBe(ED25519);
  expect(known.keyOf('192.0.2.1', 22)).toBe(ED25519);
  expect(known.keyOf('ap-1.example.net', 2222)).toBe(OTHER);
  expect(known.keyOf('192.0.2.1', 2222)).toBeNull();
});

test('of several keys the best is taken', () => {
  expect(new KnownHosts(`a ${RSA}\na ${ED25519}\n`).keyOf('a', 22)).toBe(ED25519);
});

test('patterns fit, but not where they are negated', () => {
  const known = new KnownHosts(`*.lab.example.net,!ap-9.*,192.0.2.? ${ED25519}\n`);
  expect(known.keyOf('ap-1.lab.example.net', 22)).toBe(ED25519);
  expect(known.keyOf('192.0.2.7', 22)).toBe(ED25519);
  expect(known.keyOf('192.0.2.77', 22)).toBeNull();
  expect(known.keyOf('ap-9.lab.example.net', 22)).toBeNull();
  expect(known.keyOf('ap-1xlab.example.net', 22)).toBeNull();
});

test('names that ssh-keygen has hashed are found', () => {
  const file = join(tempFolder(), 'known_hosts');
  writeFileSync(file, `ap-1 ${ED25519}\n[ap-1]:2222 ${RSA}\n`);
  execFileSync('ssh-keygen', ['-H', '-f', file], { stdio: 'ignore' });
  expect(readFileSync(file, 'utf8')).not.toContain('ap-1');
  const known = KnownHosts.read(file);
  expect(known.keyOf('ap-1', 22)).toBe(ED25519);
  expect(known.keyOf('ap-1', 2222)).toBe(RSA);
  expect(known.keyOf('ap-2', 22)).toBeNull();
});

test('a revoked key is told, and never taken', () => {
  const known = new KnownHosts(`a ${ED25519}\n@revoked * ${ED25519}\nb ${RSA}\nb ${ED25519}\n`);
  expect(known.keyOf('a', 22)).toBeNull();
  expect(known.isRevoked('a', 22, ED25519)).toBe(true);
  expect(known.isRevoked('a', 22, OTHER)).toBe(false);
  expect(known.keyOf('b', 22)).toBe(RSA);
});

test('authorities, comments, keys of other types and torn lines are passed over', () => {
  const torn = ED25519.slice(0, -12);
  const text = `# a ${ED25519}\n@cert-authority a ${ED25519}\na sk-ssh-ed25519@openssh.com AAAA\na ${torn}\na\n\n`;
  expect(new KnownHosts(text).keyOf('a', 22)).toBeNull();
});

test('a file that cannot be read is said so', () => {
  expect(() => KnownHosts.read('/nonexistent/known_hosts')).toThrow(/^cannot read the known hosts: ENOENT/);
});
