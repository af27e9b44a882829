import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parseDocument } from 'yaml';
import type { Limits } from '../../core/io.ts';

/** The agent's configuration file, checked, with the files it names already read. */
export interface AgentConfig {
  device: string;
  /** mqtt:// or mqtts:// URL */
  broker: string;
  username: string;
  password: string | null;
  /** PEM texts */
  tls: { ca: string | null; cert: string | null; key: string | null } | null;
  limits: Limits;
  wan_interface: string | null;
  /** How much nicer than the agent iperf3 is, 0 to 19. */
  nice: number;
  /** Folder on RAM disk. */
  state: string;
}

/** All that is wrong with a configuration file, one line each. */
export class ConfigError extends Error {
  readonly problems: string[];
  constructor(file: string, problems: string[]) {
    super(`${file} cannot be used:\n${problems.map((problem) => `  ${problem}`).join('\n')}`);
    this.name = 'ConfigError';
    this.problems = problems;
  }
}

const ID = /^[A-Za-z0-9_-]{1,64}$/;
const INTERFACE = /^[A-Za-z0-9_.@-]{1,15}$/;
const SECONDS: Record<string, number> = { s: 1, m: 60, h: 3600 };
const FACTORS: Record<string, number> = { '': 1, k: 1e3, M: 1e6, G: 1e9 };

/** Collects problems while the values are read, so that all are reported at once. */
class Reader {
  readonly problems: string[] = [];

  /** The keys of a section; everything but `known` is a problem. */
  section(path: string, value: unknown, known: string[]): Record<string, unknown> {
    if (value === undefined || value === null) return {};
    if (typeof value !== 'object' || Array.isArray(value)) {
      this.wrong(path, 'keys and values', value);
      return {};
    }
    for (const key of Object.keys(value)) {
      if (!known.includes(key))
        this.problems.push(`${path}${path && '.'}${key}: unknown key, expected one of ${known.join(', ')}`);
    }
    return { ...value };
  }

  wrong(path: string, expected: string, found: unknown): null {
    const shown = found === undefined || found === null ? 'nothing' : JSON.stringify(found);
    this.problems.push(`${path || 'file'}: expected ${expected}, found ${shown}`);
    return null;
  }

  /** A text that `pattern` matches, or null when it is not there. */
  text(path: string, value: unknown, pattern: RegExp, expected: string): string | null {
    if (value === undefined || value === null) return null;
    return typeof value === 'string' && pattern.test(value) ? value : this.wrong(path, expected, value);
  }

  /** A positive number with one of the units, in the base unit. */
  amount(path: string, value: unknown, units: Record<string, number>, expected: string): number | null {
    if (value === undefined || value === null) return null;
    const [, digits, unit = ''] = /^([0-9]+(?:\.[0-9]+)?)([a-zA-Z]*)$/.exec(String(value)) ?? [];
    const factor = typeof value === 'number' ? 1 : units[unit];
    const amount = Math.floor(Number(digits) * (factor ?? Number.NaN));
    return amount >= 1 ? amount : this.wrong(path, expected, value);
  }

  /** A whole number of this range, or null when it is not there. */
  whole(path: string, value: unknown, low: number, high: number): number | null {
    if (value === undefined || value === null) return null;
    return Number.isInteger(value) && Number(value) >= low && Number(value) <= high
      ? Number(value)
      : this.wrong(path, `a whole number from ${low} to ${high}`, value);
  }

  /** The content of a file that the configuration names, relative to `folder`. */
  file(path: string, value: unknown, folder: string): string | null {
    const name = this.text(path, value, /./, 'the path of a file');
    if (name === null) return null;
    try {
      return readFileSync(resolve(folder, name), 'utf8');
    } catch (error) {
      this.problems.push(`${path}: cannot read ${name}: ${(error as Error).message}`);
      return null;
    }
  }
}

const readLimits = (reader: Reader, value: unknown): Limits => {
  const raw = reader.section('limits', value, ['max_duration', 'max_streams', 'max_bitrate', 'servers']);
  const servers = raw['servers'] ?? null;
  const isList =
    Array.isArray(servers) && servers.every((server) => typeof server === 'string' && /^\S+$/.test(server));
  if (servers !== null && !isList) reader.wrong('limits.servers', 'a list of "host" or "host:port"', servers);
  return {
    max_duration_s: reader.amount('limits.max_duration', raw['max_duration'], SECONDS, 'a duration like 60s'),
    max_streams: reader.amount('limits.max_streams', raw['max_streams'], { '': 1 }, 'a number'),
    max_bitrate: reader.amount('limits.max_bitrate', raw['max_bitrate'], FACTORS, 'a rate like 20M'),
    servers: isList ? servers : null,
  };
};

/** Enough that the router's own work comes before a test, and too little to starve the test (docs/agent.md). */
const NICE = 5;

const KEYS = 'device broker username password password_file tls limits wan_interface nice state'.split(' ');

/** Checks the content of a configuration file, JSON or YAML. Files that it names are looked for from `file`. Throws a ConfigError. */
export const parseConfig = (text: string, file: string): AgentConfig => {
  const document = parseDocument(text);
  if (document.errors.length > 0)
    throw new ConfigError(
      file,
      document.errors.map(({ message }) => message),
    );
  const reader = new Reader();
  const folder = dirname(file);
  const value: unknown = document.toJS();
  if (value === null) reader.wrong('', 'device and broker', value);
  const raw = reader.section('', value, KEYS);
  const device = reader.text('device', raw['device'] ?? '', ID, '1 to 64 letters, digits, "_" or "-"') ?? '';
  const broker = reader.text(
    'broker',
    raw['broker'] ?? '',
    /^mqtts?:\/\/./,
    'a URL, mqtt://host:port or mqtts://host:port',
  );
  const tls = reader.section('tls', raw['tls'], ['ca', 'cert', 'key']);
  const password = reader.text('password', raw['password'], /./, 'text');
  const fromFile = reader.file('password_file', raw['password_file'], folder);
  if (password !== null && fromFile !== null) reader.problems.push('password_file: expected either this or password');
  const config: AgentConfig = {
    device,
    broker: broker ?? '',
    username: reader.text('username', raw['username'], /./, 'text') ?? device,
    password: password ?? fromFile?.replace(/\r?\n$/, '') ?? null,
    tls:
      Object.keys(tls).length === 0
        ? null
        : {
            ca: reader.file('tls.ca', tls['ca'], folder),
            cert: reader.file('tls.cert', tls['cert'], folder),
            key: reader.file('tls.key', tls['key'], folder),
          },
    limits: readLimits(reader, raw['limits']),
    wan_interface: reader.text('wan_interface', raw['wan_interface'], INTERFACE, 'the name of a network interface'),
    nice: reader.whole('nice', raw['nice'], 0, 19) ?? NICE,
    state: resolve(reader.text('state', raw['state'], /./, 'the path of a folder') ?? `/tmp/perfleet-${device}`),
  };
  if (reader.problems.length > 0) throw new ConfigError(file, reader.problems);
  return config;
};

/** Reads the agent's configuration file. Throws a ConfigError with all that is wrong. */
export const readConfig = (file: string): AgentConfig => {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new ConfigError(file, [(error as Error).message]);
  }
  return parseConfig(text, file);
};
