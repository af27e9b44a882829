import type { Limits } from '../../core/io.ts';
import { field, isList, isObject } from '../../core/shape.ts';

/** The agent's configuration, of the UCI section `perfleet.agent` or of a JSON file with the keys of the other host. */
export interface Config {
  device: string;
  host: string;
  port: string;
  username: string;
  password: string | null;
  /** Files; all null without TLS. */
  tls: boolean;
  ca: string | null;
  cert: string | null;
  key: string | null;
  limits: Limits;
  wan_interface: string | null;
  state: string;
}

/** Where a certificate authority is looked for when none is given. */
const SYSTEM_CA = '/etc/ssl/certs/ca-certificates.crt';

const FACTORS: { [unit: string]: number } = {
  s: 1,
  m: 60,
  h: 3600,
  k: 1000,
  M: 1000000,
  G: 1000000000,
};

const textOf = (value: unknown): string | null => (value == null || value === '' ? null : `${value}`);

/** A positive number with a unit ("60s", "20M"), or null. Adds to `problems` what is none. */
const amountOf = (problems: string[], name: string, value: unknown): number | null => {
  const text = textOf(value);
  if (text == null) return null;
  const found = match(text, /^([0-9]+)([smhkMG]?)$/);
  const amount = found == null ? 0 : int(found[1]) * (FACTORS[found[2]] ?? 1);
  if (amount < 1) push(problems, `${name}: expected a number like 4, 60s or 20M, found ${text}`);
  return amount;
};

const macAddress = (): string | null => {
  const text = fs.readfile('/sys/class/net/br-lan/address') ?? fs.readfile('/sys/class/net/eth0/address');
  return text == null ? null : lc(trim(replace(text, /:/g, '')));
};

const sourceOf = (file: string | null): unknown => {
  if (file == null) return uci?.cursor?.()?.get_all?.('perfleet', 'agent');
  try {
    return json(fs.readfile(file) ?? '');
  } catch (_) {
    return null;
  }
};

/** Reads the configuration of `file`, null for UCI. What is wrong is added to `problems`, one line each. */
export const readConfig = (file: string | null, problems: string[]): Config => {
  const source = sourceOf(file);
  if (!isObject(source)) push(problems, `${file ?? '/etc/config/perfleet'}: cannot be read`);
  const text = (name: string): string | null => textOf(field(source, name));
  const device = text('device') ?? macAddress() ?? '';
  if (match(device, /^[A-Za-z0-9_-]+$/) == null || length(device) > 64)
    push(problems, `device: expected 1 to 64 letters, digits, "_" or "-", found ${device}`);
  const broker = match(text('broker') ?? '', /^(mqtts?):\/\/(.+)$/);
  if (broker == null) push(problems, 'broker: expected a URL, mqtt://host:port or mqtts://host:port');
  const address = replace(broker?.[2] ?? '', /\/$/, '');
  const tls = broker?.[1] === 'mqtts';
  const port = match(address, /:([0-9]+)$/);
  const files = field(source, 'tls') ?? source;
  const password_file = text('password_file');
  const password = password_file == null ? text('password') : fs.readfile(password_file);
  if (password_file != null && password == null) push(problems, `password_file: cannot read ${password_file}`);
  const limits = field(source, 'limits') ?? source;
  const servers = field(limits, 'servers');
  return {
    device,
    host: replace(replace(address, /:[0-9]+$/, ''), /\[|\]/g, ''),
    port: port?.[1] ?? (tls ? '8883' : '1883'),
    username: text('username') ?? device,
    password: password == null ? null : trim(password),
    tls,
    ca: textOf(field(files, 'ca')) ?? (tls ? SYSTEM_CA : null),
    cert: textOf(field(files, 'cert')),
    key: textOf(field(files, 'key')),
    limits: {
      max_duration_s: amountOf(problems, 'max_duration', field(limits, 'max_duration')),
      max_streams: amountOf(problems, 'max_streams', field(limits, 'max_streams')),
      max_bitrate: amountOf(problems, 'max_bitrate', field(limits, 'max_bitrate')),
      servers: isList(servers) ? map(servers, (server) => `${server}`) : null,
    },
    wan_interface: text('wan_interface'),
    state: text('state') ?? '/tmp/perfleet',
  };
};
