import { z } from 'zod';
import { anything, flag, type Leaf, optional, text, variableName } from './leaf.ts';
import { isLoopback } from './loopback.ts';
import { type Path, showValue } from './problem.ts';
import { keysIn, type Reader, type Values } from './reader.ts';
import type {
  AlertmanagerSettings,
  EmailSettings,
  Login,
  MqttSettings,
  ReceiverSettings,
  WebhookSettings,
} from './settings.ts';
import { httpUrl, smtpUrl } from './url-leaf.ts';

const KINDS = ['webhook', 'email', 'alertmanager', 'mqtt'] as const;
type Kind = (typeof KINDS)[number];

const file = optional(text('the path of a file'));
const variable = optional(variableName);

/** No more than what mail servers everywhere take: nothing that has a meaning in a header. */
const address: Leaf<string> = {
  expected: 'a mail address such as noc@example.net',
  schema: z.string().regex(/^(?=.{3,254}$)[A-Za-z0-9._%+=-]{1,64}@[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$/),
  hint: (found) => (typeof found === 'string' && found.includes('<') ? 'the address alone, without a name' : undefined),
};

const topic: Leaf<string> = {
  expected: 'an MQTT topic without wildcards, such as alerts/perfleet',
  schema: z.string().regex(/^(?!\$|perfleet(\/|$))[^+#\p{Cc}\p{Cs}]{1,255}$/u),
  hint: (found) =>
    typeof found === 'string' && /^perfleet(\/|$)/.test(found)
      ? 'what begins with perfleet/ belongs to agents and controller'
      : undefined,
};

const ADDRESSES = 'a list of mail addresses';
const MAX_ADDRESSES = 50;

/** What a receiver that asks for a user and a password has beside its other keys. */
const LOGIN = { username: optional(text('a user name')), password_file: file, password_env: variable };

const readLogin = (reader: Reader, path: Path, given: Values<typeof LOGIN>): Login | null => {
  const username = given.username ?? null;
  const { password_file: inFile, password_env: inEnv } = given;
  const password = reader.secretIn(path, 'password', { file: inFile, env: inEnv });
  if ((username === null) !== ((inFile ?? inEnv ?? null) === null))
    reader.problem(path, 'one of username and password_file', 'both of them, or neither');
  return username === null || password === null ? null : { username, password };
};

const readWebhook = (reader: Reader, path: Path, raw: unknown): WebhookSettings => {
  const given = reader.fields(path, raw, { webhook: httpUrl, secret_file: file, secret_env: variable, ca_file: file });
  return {
    kind: 'webhook',
    url: given.webhook ?? '',
    secret: reader.secretIn(path, 'secret', { file: given.secret_file, env: given.secret_env }),
    ca: reader.secret([...path, 'ca_file'], given.ca_file, 'public'),
  };
};

const readAddresses = (reader: Reader, path: Path, raw: unknown): string[] => {
  const list = reader.list(path, raw, 'mail addresses');
  if (Array.isArray(raw) && (list.length === 0 || list.length > MAX_ADDRESSES))
    reader.problem(path, showValue(path, raw), `${ADDRESSES}, 1 to ${MAX_ADDRESSES}`);
  return list.flatMap((entry, index) => reader.value([...path, index], entry, address) ?? []);
};

/** Unless told otherwise, mail leaves this machine encrypted. */
const readSecurity = (
  reader: Reader,
  path: Path,
  { secure, host, tls }: { secure: boolean; host: string; tls: boolean | null | undefined },
): EmailSettings['security'] => {
  if (secure && tls === false) reader.problem([...path, 'tls'], 'false', 'true, or smtp:// instead of smtps://');
  if (secure) return 'tls';
  return (tls ?? !isLoopback(host)) ? 'starttls' : 'none';
};

const readEmail = (reader: Reader, path: Path, raw: unknown): EmailSettings => {
  const given = reader.fields(path, raw, {
    email: anything,
    from: address,
    smtp: optional(smtpUrl),
    tls: optional(flag),
    ...LOGIN,
    ca_file: file,
  });
  const { secure, host, port } = given.smtp ?? { secure: false, host: '127.0.0.1', port: 25 };
  const security = readSecurity(reader, path, { secure, host, tls: given.tls });
  if (security === 'none' && keysIn(raw).has('username') && !isLoopback(host))
    reader.problem([...path, 'tls'], 'false, with a password', 'true: the password would be readable on the way');
  return {
    kind: 'email',
    to: readAddresses(reader, [...path, 'email'], given.email),
    from: given.from ?? '',
    host,
    port,
    security,
    login: readLogin(reader, path, given),
    ca: reader.secret([...path, 'ca_file'], given.ca_file, 'public'),
  };
};

const readAlertmanager = (reader: Reader, path: Path, raw: unknown): AlertmanagerSettings => {
  const given = reader.fields(path, raw, {
    alertmanager: httpUrl,
    ...LOGIN,
    token_file: file,
    token_env: variable,
    ca_file: file,
  });
  const keys = keysIn(raw);
  if ((keys.has('token_file') || keys.has('token_env')) && keys.has('username'))
    reader.problem(path, 'both a token and username', 'one of them, or neither');
  return {
    kind: 'alertmanager',
    url: given.alertmanager ?? '',
    login: readLogin(reader, path, given),
    token: reader.secretIn(path, 'token', { file: given.token_file, env: given.token_env }),
    ca: reader.secret([...path, 'ca_file'], given.ca_file, 'public'),
  };
};

const readMqtt = (reader: Reader, path: Path, raw: unknown, externalBroker: boolean): MqttSettings => {
  const given = reader.fields(path, raw, { mqtt: topic });
  if (!externalBroker)
    reader.problem(
      [...path, 'mqtt'],
      'a topic on the embedded broker',
      'an external broker, broker.url: nobody but devices may connect to the embedded one',
    );
  return { kind: 'mqtt', topic: given.mqtt ?? '' };
};

const readReceiver = (reader: Reader, path: Path, raw: unknown, externalBroker: boolean): ReceiverSettings | null => {
  const keys = keysIn(raw);
  const [kind, second] = KINDS.filter((name) => keys.has(name));
  if (kind === undefined || second !== undefined) {
    // Every key that is none of a receiver is a problem of its own.
    reader.fields(path, raw, Object.fromEntries([...KINDS, ...OTHER_KEYS].map((key) => [key, anything])));
    const found = kind === undefined ? `none of ${KINDS.join(', ')}` : `both ${kind} and ${second}`;
    reader.problem(path, found, `one of ${KINDS.join(', ')}`);
    return null;
  }
  const read: Record<Kind, () => ReceiverSettings> = {
    webhook: () => readWebhook(reader, path, raw),
    email: () => readEmail(reader, path, raw),
    alertmanager: () => readAlertmanager(reader, path, raw),
    mqtt: () => readMqtt(reader, path, raw, externalBroker),
  };
  return read[kind]();
};

const SECRETS = ['secret', 'password', 'token'].flatMap((what) => [`${what}_file`, `${what}_env`]);
const OTHER_KEYS = ['from', 'smtp', 'tls', 'username', ...SECRETS, 'ca_file'];

/** `receivers`: who is told about alerts; each has one of webhook, email, alertmanager and mqtt, which says what else it may have. */
export const readReceivers = (
  reader: Reader,
  raw: unknown,
  { externalBroker }: { externalBroker: boolean },
): Map<string, ReceiverSettings> =>
  new Map(
    reader.entries(['receivers'], raw, 'receivers').flatMap(([name, entry]) => {
      const receiver = readReceiver(reader, ['receivers', name], entry, externalBroker);
      return receiver === null ? [] : [[name, receiver]];
    }),
  );
