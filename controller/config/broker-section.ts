import { isIPv6 } from 'node:net';
import { anything, optional, text } from './leaf.ts';
import { isLoopback } from './loopback.ts';
import { keysIn, type Reader } from './reader.ts';
import type { EmbeddedBroker, ExternalBroker } from './settings.ts';
import { mqttUrl } from './url-leaf.ts';

const path = ['broker'];
const tlsPath = ['broker', 'tls'];

const readTls = (reader: Reader, raw: unknown): ExternalBroker['tls'] => {
  const pem = optional(text('the path of a PEM file'));
  const files = reader.fields(tlsPath, raw, { cert: pem, key: pem, ca: pem });
  return {
    cert: reader.secret([...tlsPath, 'cert'], files.cert, 'public'),
    key: reader.secret([...tlsPath, 'key'], files.key, 'key'),
    ca: reader.secret([...tlsPath, 'ca'], files.ca, 'public'),
  };
};

const readEmbedded = (reader: Reader, raw: unknown): EmbeddedBroker => {
  const given = reader.fields(path, raw, { listen: optional(mqttUrl(0)), url: anything, tls: anything });
  const { secure, host, port } = given.listen ?? { secure: false, host: '127.0.0.1', port: 1883 };
  const embedded: EmbeddedBroker = { kind: 'embedded', host, port, tls: null };
  const named = keysIn(given.tls);
  if (!secure) {
    if (named.size > 0) reader.problem(tlsPath, 'TLS files for plain MQTT', 'tls only where listen is mqtts://');
    else if (!isLoopback(host)) {
      reader.warnings.push(
        `broker.listen: without TLS (mqtts://) the devices' passwords cross the network in the clear`,
      );
    }
    return embedded;
  }
  const { cert, key, ca } = readTls(reader, given.tls);
  for (const name of ['cert', 'key']) {
    if (!named.has(name))
      reader.problem([...tlsPath, name], 'nothing', 'a PEM file: mqtts:// needs tls with cert and key');
  }
  return { ...embedded, tls: { cert: cert ?? '', key: key ?? '', ca } };
};

const readExternal = (reader: Reader, raw: unknown): ExternalBroker => {
  const given = reader.fields(path, raw, {
    listen: anything,
    url: mqttUrl(1),
    username: optional(text('a user name')),
    password_file: optional(text('the path of a file')),
    tls: anything,
  });
  const password = reader.secret([...path, 'password_file'], given.password_file, 'secret');
  const tls = readTls(reader, given.tls);
  const named = keysIn(given.tls);
  if (given.url?.secure === false && named.size > 0) {
    reader.problem(tlsPath, 'TLS files for plain MQTT', 'tls only where url is mqtts://');
  }
  if (named.has('cert') !== named.has('key')) {
    reader.problem(tlsPath, 'one of cert and key', 'both of them, or neither');
  }
  const { secure, host, port } = given.url ?? { secure: false, host: '', port: 0 };
  const url = `mqtt${secure ? 's' : ''}://${isIPv6(host) ? `[${host}]` : host}:${port}`;
  return { kind: 'external', url, username: given.username ?? null, password, tls };
};

/** `broker`: embedded at mqtt://127.0.0.1:1883 unless it says something else. */
export const readBroker = (reader: Reader, raw: unknown): EmbeddedBroker | ExternalBroker => {
  const keys = keysIn(raw);
  if (!keys.has('url')) return readEmbedded(reader, raw);
  if (keys.has('listen')) {
    reader.problem(path, 'both listen and url', 'listen for the embedded broker, or url for another one');
    return { kind: 'embedded', host: '', port: 0, tls: null };
  }
  return readExternal(reader, raw);
};
