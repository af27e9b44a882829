import { z } from 'zod';
import { readHostKey } from '../drivers/ssh/host-key.ts';
import type { SshAuth, SshTarget } from '../drivers/ssh/target.ts';
import { type Leaf, optional, text, variableName } from './leaf.ts';
import type { Path } from './problem.ts';
import { keysIn, namesIn, type Reader, type Values } from './reader.ts';
import type { SshCredentials } from './settings.ts';
import { parseSshAddress } from './ssh-address.ts';

const SECTION = 'ssh_credentials';

const METHODS = ['key_file', 'password_file', 'password_env', 'agent_socket'] as const;

const proxyAddress: Leaf<Omit<SshTarget, 'host_key' | 'auth' | 'proxy'>> = {
  expected: 'USER@HOST or USER@HOST:PORT',
  schema: z.string().transform((value, context) => {
    const { user = null, ...place } = parseSshAddress(value) ?? {};
    if (user !== null && 'host' in place) return { ...place, user };
    context.addIssue({ code: 'custom', message: 'no address' });
    return z.NEVER;
  }),
};

const hostKey: Leaf<string> = {
  expected: 'a public host key, type and base64, as in the second and third field of known_hosts',
  schema: z.string().refine((value) => readHostKey(value) !== null),
  hint: () => 'ssh-keyscan prints it: compare its fingerprint with the one that the jump host itself tells',
};

const file = optional(text('the path of a file'));
const variable = optional(variableName);

const FIELDS = {
  user: optional(text('a user name')),
  key_file: file,
  passphrase_file: file,
  passphrase_env: variable,
  password_file: file,
  password_env: variable,
  agent_socket: optional(text('the path of a socket')),
  proxy: optional(proxyAddress),
  proxy_credentials: optional(text('the name of a set')),
  proxy_host_key: optional(hostKey),
};
type Given = Values<typeof FIELDS>;

const readAuth = (reader: Reader, path: Path, given: Given, keys: ReadonlySet<string>): SshAuth => {
  const methods = METHODS.filter((method) => keys.has(method));
  if (methods.length !== 1)
    reader.problem(
      path,
      methods.length === 0 ? 'no credentials' : methods.join(' and '),
      `one of ${METHODS.join(', ')}`,
    );
  const passphraseKey = keys.has('passphrase_env') ? 'passphrase_env' : 'passphrase_file';
  if (keys.has(passphraseKey) && !keys.has('key_file'))
    reader.problem([...path, passphraseKey], 'a passphrase without a key', 'key_file beside it');
  const key = reader.secret([...path, 'key_file'], given.key_file, 'key');
  const passphrase = reader.secretIn(path, 'passphrase', { file: given.passphrase_file, env: given.passphrase_env });
  const password = reader.secretIn(
    path,
    'password',
    { file: given.password_file, env: given.password_env },
    'password',
  );
  if (key !== null) return { key, passphrase };
  return password !== null ? { password } : { agent: reader.resolve(given.agent_socket ?? '') };
};

/** What must stand beside each other for a jump host. */
const checkProxyKeys = (reader: Reader, path: Path, keys: ReadonlySet<string>): void => {
  if (keys.has('proxy') && !keys.has('proxy_host_key'))
    reader.problem(
      [...path, 'proxy'],
      'a jump host without its host key',
      'proxy_host_key beside it',
      hostKey.hint?.(undefined),
    );
  for (const key of ['proxy_credentials', 'proxy_host_key'])
    if (keys.has(key) && !keys.has('proxy')) reader.problem([...path, key], 'no jump host', 'proxy beside it');
};

interface Draft {
  user: string | null;
  auth: SshAuth;
  /** How to log in to the jump host: a set's name; null for the same as behind it. */
  proxy: (Omit<SshTarget, 'auth' | 'proxy'> & { credentials: string | null }) | null;
}

const readDraft = (reader: Reader, path: Path, raw: unknown, known: ReadonlySet<string>): Draft => {
  const given = reader.fields(path, raw, FIELDS);
  const keys = keysIn(raw);
  checkProxyKeys(reader, path, keys);
  const { user = null, proxy = null, proxy_credentials: credentials = null, proxy_host_key } = given;
  reader.reference([...path, 'proxy_credentials'], credentials, known, SECTION);
  const auth = readAuth(reader, path, given, keys);
  return { user, auth, proxy: proxy === null ? null : { ...proxy, host_key: proxy_host_key ?? '', credentials } };
};

/** The jump host of a set, with its own before it; `circular` when that comes back to a set that it went through. */
const jumpHost = (
  drafts: ReadonlyMap<string, Draft>,
  name: string,
  before: readonly string[] = [],
): SshTarget | null | 'circular' => {
  if (before.includes(name)) return 'circular';
  const { auth, proxy = null } = drafts.get(name) ?? {};
  if (proxy === null || auth === undefined) return null;
  const { credentials, ...address } = proxy;
  if (credentials === null) return { ...address, auth, proxy: null };
  const further = jumpHost(drafts, credentials, [...before, name]);
  const own = drafts.get(credentials)?.auth ?? auth;
  return further === 'circular' ? further : { ...address, auth: own, proxy: further };
};

/** `ssh_credentials`: named sets of how to log in to devices without an agent, and the jump host before them. */
export const readSshCredentials = (reader: Reader, raw: unknown): Map<string, SshCredentials> => {
  const known = namesIn(raw);
  const drafts = new Map(
    reader
      .entries([SECTION], raw, 'sets of SSH credentials')
      .map(([name, entry]) => [name, readDraft(reader, [SECTION, name], entry, known)]),
  );
  const sets = new Map<string, SshCredentials>();
  for (const [name, { user, auth }] of drafts) {
    const proxy = jumpHost(drafts, name);
    if (proxy !== 'circular') sets.set(name, { user, auth, proxy });
    else
      reader.problem(
        [SECTION, name, 'proxy_credentials'],
        'a set whose own jump host is reached through this one',
        'a chain of jump hosts that begins somewhere',
        'without proxy_credentials a jump host takes the same credentials',
      );
  }
  return sets;
};
