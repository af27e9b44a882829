import { each } from '../../core/each.ts';
import type { Limits } from '../../core/io.ts';
import { field, fits, isLine, isList, isObject, isWhole } from '../../core/shape.ts';

/** The agent's configuration, checked. */
export interface Config {
  device: string;
  host: string;
  port: string;
  username: string;
  password: string | null;
  tls: boolean;
  /** Files; all null without TLS. */
  ca: string | null;
  cert: string | null;
  key: string | null;
  limits: Limits;
  wan_interface: string | null;
  /** Of iperf3. */
  nice: number;
  state: string;
}

/** Where certificate authorities are looked for when none is given. */
const SYSTEM_CA = '/etc/ssl/certs/ca-certificates.crt';

/** A line of mosquitto's configuration has 1023 bytes. */
const LONGEST_SECRET = 1000;
const LONGEST_PATH = 4000;

const KEYS: readonly string[] = split(
  'device broker username password password_file tls limits wan_interface nice state',
  ' ',
);
const TLS_KEYS: readonly string[] = ['ca', 'cert', 'key'];
const LIMIT_KEYS: readonly string[] = ['max_duration', 'max_streams', 'max_bitrate', 'servers'];

const SECONDS: { [unit: string]: number } = { s: 1, m: 60, h: 3600 };
const COUNT: { [unit: string]: number } = { '': 1 };
const RATES: { [unit: string]: number } = { '': 1, k: 1000, M: 1000000, G: 1000000000 };

/** Reads the keys of one section; what is wrong is added to `problems`. */
interface Section {
  wrong: (key: string, expected: string) => void;
  /** A line of text, or null when it is not there. */
  text: (key: string, longest: number) => string | null;
  /** A positive number with one of the units, in the base unit. */
  amount: (key: string, units: { [unit: string]: number }, expected: string) => number | null;
}

const sectionOf = (path: string, value: unknown, known: readonly string[], problems: string[]): Section => {
  const wrong = (key: string, expected: string): void => {
    const found = field(value, key);
    push(problems, `${path}${key}: expected ${expected}, found ${found == null ? 'nothing' : sprintf('%J', found)}`);
  };
  const text = (key: string, longest: number): string | null => {
    const found = field(value, key);
    if (found == null) return null;
    if (isLine(found, longest) && length(found) > 0) return found;
    wrong(key, 'text');
    return null;
  };
  const amount = (key: string, units: { [unit: string]: number }, expected: string): number | null => {
    const found = field(value, key);
    if (found == null) return null;
    const parts = match(`${found}`, /^([0-9]+[.]?[0-9]*)([a-zA-Z]*)$/);
    const factor = type(found) === 'string' ? units[parts?.[2] ?? ''] : 1;
    const whole = parts == null || factor == null ? 0 : int(+parts[1] * factor);
    if (whole >= 1) return whole;
    wrong(key, expected);
    return null;
  };
  if (value != null && !isObject(value)) push(problems, `${path}: expected keys and values`);
  each(isObject(value) ? keys(value) : [], (key) => {
    if (length(filter(known, (name) => name === key)) === 0)
      push(problems, `${path}${key}: unknown key, expected one of ${join(', ', known)}`);
  });
  return { wrong, text, amount };
};

const readLimits = (value: unknown, problems: string[]): Limits => {
  const section = sectionOf('limits.', value, LIMIT_KEYS, problems);
  const servers = field(value, 'servers');
  const isGood = isList(servers) && length(filter(servers, (server) => !fits(server, /^[!-~]+$/))) === 0;
  if (servers != null && !isGood) section.wrong('servers', 'a list of "host" or "host:port"');
  return {
    max_duration_s: section.amount('max_duration', SECONDS, 'a duration like 60s'),
    max_streams: section.amount('max_streams', COUNT, 'a number'),
    max_bitrate: section.amount('max_bitrate', RATES, 'a rate like 20M'),
    servers: isGood ? (servers as string[]) : null,
  };
};

const parse = (text: string): unknown => {
  try {
    return json(text);
  } catch (_) {
    return null;
  }
};

/** Reads the configuration in a JSON file. All that is wrong is added to `problems`, one line each. */
export const readConfig = (path: string, problems: string[]): Config => {
  const text = fs.readfile(path);
  const source = parse(text ?? '');
  if (text == null) push(problems, 'it cannot be read');
  else if (!isObject(source)) push(problems, 'expected a JSON object');
  const section = sectionOf('', source, KEYS, problems);
  const steps = split(path, '/');
  const folder = join('/', [...slice(steps, 0, length(steps) - 1), '']);
  const pathOf = (name: string | null): string | null =>
    name == null || index(name, '/') === 0 ? name : `${folder}${name}`;

  const device = section.text('device', 64) ?? '';
  if (!fits(device, /^[A-Za-z0-9_-]+$/)) section.wrong('device', '1 to 64 letters, digits, "_" or "-"');
  const broker = match(section.text('broker', 300) ?? '', /^(mqtts?):\/\/(.+)$/);
  if (broker == null) section.wrong('broker', 'a URL, mqtt://host:port or mqtts://host:port');
  const secure = broker?.[1] === 'mqtts';
  const address = replace(broker?.[2] ?? '', /\/$/, '');
  const port = match(address, /:([0-9]+)$/)?.[1] ?? (secure ? '8883' : '1883');

  const password_file = section.text('password_file', LONGEST_PATH);
  const secret_file = pathOf(password_file);
  const content = secret_file == null ? null : fs.readfile(secret_file);
  const password = section.text('password', LONGEST_SECRET);
  if (password != null && password_file != null) push(problems, 'password_file: expected either this or password');
  const secret = password ?? (content == null ? null : replace(content, regexp('\r?\n$'), ''));
  if (password_file != null && content == null) push(problems, `password_file: cannot read ${password_file}`);
  if (secret != null && !isLine(secret, LONGEST_SECRET)) push(problems, 'password: expected one line');

  const tls = sectionOf('tls.', field(source, 'tls'), TLS_KEYS, problems);
  const fileOf = (key: string): string | null => {
    const file = pathOf(tls.text(key, LONGEST_PATH));
    if (file != null && fs.stat(file) == null) push(problems, `tls.${key}: cannot read ${file}`);
    return secure ? file : null;
  };
  const wan_interface = section.text('wan_interface', 15);
  if (wan_interface != null && !fits(wan_interface, /^[A-Za-z0-9_.@-]+$/))
    section.wrong('wan_interface', 'the name of a network interface');
  const nice = field(source, 'nice') ?? 5;
  if (!isWhole(nice, 0, 19)) section.wrong('nice', 'a whole number from 0 to 19');
  return {
    device,
    host: replace(replace(address, /:[0-9]+$/, ''), /^\[|\]$/g, ''),
    port,
    username: section.text('username', LONGEST_SECRET) ?? device,
    password: secret,
    tls: secure,
    ca: fileOf('ca') ?? (secure ? SYSTEM_CA : null),
    cert: fileOf('cert'),
    key: fileOf('key'),
    limits: readLimits(field(source, 'limits'), problems),
    wan_interface,
    nice: isWhole(nice, 0, 19) ? nice : 0,
    state: section.text('state', LONGEST_PATH) ?? `/tmp/perfleet-${device}`,
  };
};
