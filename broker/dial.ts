import net from 'node:net';
import type { Duplex } from 'node:stream';
import tls from 'node:tls';

/** PEM texts. Without a `ca` the system's roots are trusted; `cert` and `key` only if the broker asks clients for a certificate. */
export interface ClientTls {
  ca: string | null;
  cert: string | null;
  key: string | null;
}

/** Ports that MQTT has registered with IANA. */
const DEFAULT_PORT = { 'mqtt:': 1883, 'mqtts:': 8883 };

const isScheme = (protocol: string): protocol is keyof typeof DEFAULT_PORT => protocol in DEFAULT_PORT;

const parse = (url: string): { host: string; port: number; secure: boolean } => {
  if (!URL.canParse(url)) throw new Error('the broker URL cannot be read: write mqtt://host:port or mqtts://host:port');
  const { protocol, hostname, port, username, password } = new URL(url);
  if (!isScheme(protocol)) throw new Error(`the broker URL starts with ${protocol}//: write mqtt:// or mqtts://`);
  if (username !== '' || password !== '') {
    throw new Error('the broker URL holds a user name or password: use username and password_file instead');
  }
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  if (host === '') throw new Error('the broker URL names no host: write mqtt://host:port or mqtts://host:port');
  return { host, port: port === '' ? DEFAULT_PORT[protocol] : Number(port), secure: protocol === 'mqtts:' };
};

/**
 * Returns a function that opens a connection to the broker at `url`. Connects nothing itself, but throws when the URL or the PEM
 * texts cannot be used, with what to do about it.
 */
export const dialer = (url: string, files: ClientTls | null): (() => Duplex) => {
  const { host, port, secure } = parse(url);
  const given = Object.fromEntries(Object.entries(files ?? {}).filter(([, pem]) => pem !== null));
  if (!secure) {
    if (Object.keys(given).length > 0) throw new Error('tls is set, but the broker URL is mqtt://: write mqtts://');
    return () => net.connect({ host, port, noDelay: true });
  }
  let secureContext: tls.SecureContext;
  try {
    secureContext = tls.createSecureContext({ ...given, minVersion: 'TLSv1.2' });
  } catch (error) {
    const message = `the TLS files for the broker cannot be used: ${(error as Error).message}. Check tls: ca, cert, key`;
    throw new Error(message, { cause: error });
  }
  const servername = net.isIP(host) === 0 ? { servername: host } : {};
  return () => {
    const socket = tls.connect({ host, port, secureContext, ...servername });
    socket.setNoDelay(true);
    return socket;
  };
};
