import { optional, text } from './leaf.ts';
import type { Reader } from './reader.ts';
import type { Settings } from './settings.ts';
import { listenAddress } from './url-leaf.ts';

const MAKE_TOKEN = 'make one: (umask 077; head -c 24 /dev/urandom | base64 > /etc/perfleet/http-token)';

/** `http`: where the API and the web page are, and the token that opens them. */
export const readHttp = (reader: Reader, raw: unknown): Settings['http'] => {
  const given = reader.fields(['http'], raw, {
    listen: optional(listenAddress),
    token_file: { ...text('the path of a file with the token'), hint: () => MAKE_TOKEN },
  });
  const { host, port } = given.listen ?? { host: '127.0.0.1', port: 8080 };
  return { host, port, token: reader.secret(['http', 'token_file'], given.token_file, 'secret') ?? '' };
};
