import { anything, flag, optional, text, variableName } from './leaf.ts';
import { showValue } from './problem.ts';
import { keysIn, type Reader } from './reader.ts';
import type { InfluxSettings, InfluxTls } from './settings.ts';
import { httpUrl } from './url-leaf.ts';

const path = ['influx'];
const tlsPath = ['influx', 'tls'];

const file = text('the path of a file');
const variable = optional(variableName);

/** Each may stand in the environment too. */
const OR_ENV = 'or username_env and password_env, the names of variables';

const readTls = (reader: Reader, raw: unknown, url: string): { tls?: InfluxTls } => {
  if (keysIn(raw).size === 0) return {};
  const given = reader.fields(tlsPath, raw, { ca_file: optional(file), insecure: optional(flag) });
  const ca = reader.secret([...tlsPath, 'ca_file'], given.ca_file, 'public');
  const insecure = given.insecure ?? false;
  if (url.startsWith('http:')) {
    reader.problem(tlsPath, 'TLS settings for plain HTTP', 'tls only where influx.url is https://');
  }
  if (insecure && ca !== null) reader.problem(tlsPath, 'both ca_file and insecure: true', 'one of them');
  if (insecure) reader.warnings.push('influx.tls.insecure: anybody can pose as this InfluxDB and gets its credentials');
  return { tls: { ca, insecure } };
};

const readVersion1 = (reader: Reader, raw: unknown): InfluxSettings => {
  const given = reader.fields(path, raw, {
    version: anything,
    url: httpUrl,
    tls: anything,
    database: text('the name of a database'),
    username: optional(text('a user name')),
    username_env: variable,
    password_file: optional(file),
    password_env: variable,
  });
  const password = reader.secretIn(path, 'password', { file: given.password_file, env: given.password_env });
  const username = given.username ?? reader.secretIn(path, 'username', { file: null, env: given.username_env });
  const keys = keysIn(raw);
  if (keys.has('username') && keys.has('username_env'))
    reader.problem(path, 'both username and username_env', 'one of them');
  const hasUser = keys.has('username') || keys.has('username_env');
  if (hasUser !== (keys.has('password_file') || keys.has('password_env'))) {
    reader.problem(path, 'one of username and password_file', 'both of them, or neither', OR_ENV);
  }
  const { url = '', database = '' } = given;
  return { version: 1, url, ...readTls(reader, given.tls, url), database, username, password };
};

const readVersion2 = (reader: Reader, raw: unknown): InfluxSettings => {
  const given = reader.fields(path, raw, {
    version: anything,
    url: httpUrl,
    tls: anything,
    organization: text('the name of an organization in InfluxDB'),
    bucket: text('the name of a bucket'),
    token_file: optional(file),
    token_env: variable,
  });
  const keys = keysIn(raw);
  if (!keys.has('token_file') && !keys.has('token_env'))
    reader.problem([...path, 'token_file'], 'nothing', file.expected, 'or token_env, the name of a variable');
  const { url = '', organization = '', bucket = '' } = given;
  const token = reader.secretIn(path, 'token', { file: given.token_file, env: given.token_env }) ?? '';
  return { version: 2, url, ...readTls(reader, given.tls, url), organization, bucket, token };
};

/** `influx`: none unless it is there. */
export const readInflux = (reader: Reader, raw: unknown): InfluxSettings | null => {
  if (raw === undefined || raw === null) return null;
  if (typeof raw !== 'object' || Array.isArray(raw)) {
    reader.problem(path, showValue(path, raw), 'a mapping that begins with version: 1 or version: 2');
    return null;
  }
  const version = 'version' in raw ? raw.version : undefined;
  if (version === 1) return readVersion1(reader, raw);
  if (version === 2) return readVersion2(reader, raw);
  const hint = version === 3 ? 'InfluxDB 3 takes writes as version 2 does: write 2' : undefined;
  reader.problem([...path, 'version'], showValue(path, version), '1 or 2', hint);
  return null;
};
