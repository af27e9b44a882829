import { isIP } from 'node:net';
import { z } from 'zod';
import { hostName, type Leaf } from './leaf.ts';

/** Where a server of ours listens, or the broker of others is. */
export interface Endpoint {
  secure: boolean;
  host: string;
  port: number;
}

const from = <T>(
  expected: string,
  parse: (value: string) => T | null,
  hint: (found: unknown) => string | undefined,
): Leaf<T> => ({
  expected,
  schema: z.string().transform((value, context) => {
    const outcome = parse(value);
    if (outcome !== null) return outcome;
    context.addIssue({ code: 'custom', message: expected });
    return z.NEVER;
  }),
  hint,
});

const urlOf = (value: string): URL | null => (URL.canParse(value) ? new URL(value) : null);

const isHost = (host: string): boolean => isIP(host) !== 0 || hostName.schema.safeParse(host).success;

const urlHint = (found: unknown): string | undefined => {
  if (typeof found !== 'string') return undefined;
  if (/^wss?:/.test(found)) return 'MQTT over WebSockets is not supported';
  return /\/\/.*@/s.test(found) ? 'a user and a password have their own keys, not a place in the URL' : undefined;
};

/** A URL of nothing but a scheme (the secure one ends in `s:`), a host and maybe a port. */
const bareUrl = (value: string, default_ports: Record<string, number>, lowestPort: 0 | 1): Endpoint | null => {
  const url = urlOf(value);
  const default_port = default_ports[url?.protocol ?? ''];
  if (url === null || default_port === undefined) return null;
  if (url.username + url.password + url.search + url.hash !== '' || !/^\/?$/.test(url.pathname)) return null;
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const port = url.port === '' ? default_port : Number(url.port);
  return isHost(host) && port >= lowestPort ? { secure: url.protocol.endsWith('s:'), host, port } : null;
};

/** `mqtt://host[:port]` or `mqtts://host[:port]`; ports 1883 and 8883 unless given; a port of 0 (any free one) only to listen on. */
export const mqttUrl = (lowestPort: 0 | 1): Leaf<Endpoint> =>
  from(
    'mqtt://HOST:PORT or mqtts://HOST:PORT',
    (value) => bareUrl(value, { 'mqtt:': 1883, 'mqtts:': 8883 }, lowestPort),
    urlHint,
  );

/** `smtp://host[:port]` or `smtps://host[:port]`; ports 25 and 465 unless given. */
export const smtpUrl: Leaf<Endpoint> = from(
  'smtp://HOST:PORT or smtps://HOST:PORT',
  (value) => bareUrl(value, { 'smtp:': 25, 'smtps:': 465 }, 1),
  urlHint,
);

/** `http://…` or `https://…`, without user, password and fragment. */
export const httpUrl: Leaf<string> = from(
  'an http:// or https:// URL',
  (value) => {
    const url = urlOf(value);
    if (url === null || !/^https?:$/.test(url.protocol)) return null;
    return url.username + url.password + url.hash === '' ? value : null;
  },
  urlHint,
);

/** `127.0.0.1:8080`, `[::1]:8080`; port 0 is any free one. */
export const listenAddress: Leaf<Endpoint> = from(
  'HOST:PORT, such as 127.0.0.1:8080',
  (value) => {
    const [, bracketed, plain, digits] = value.match(/^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/) ?? [];
    const host = bracketed ?? plain ?? '';
    const port = Number(digits ?? 65536);
    const fits = bracketed === undefined ? isHost(host) : isIP(host) === 6;
    return fits && port <= 65535 ? { secure: false, host, port } : null;
  },
  (found) => (typeof found === 'number' ? `write "127.0.0.1:${found}"` : undefined),
);
