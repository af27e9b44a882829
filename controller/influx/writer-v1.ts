import type { Clock } from '../../broker/clock.ts';
import type { InfluxSettings } from '../config/settings.ts';
import { lineOf } from './line.ts';
import { post } from './post.ts';
import {
  type InfluxWriter,
  refusal,
  type Target,
  tlsOptions,
  unreachable,
  type WriteOutcome,
  withinLimit,
} from './writer.ts';

type Settings = Extract<InfluxSettings, { version: 1 }>;

/** Any other success is somebody else's: a login page, or a proxy's. */
const WRITTEN = 204;

/** Where to write; without the user and password that an address may have. */
const writeUrl = ({ url, database }: Settings): URL => {
  const to = new URL(url);
  to.pathname = `${to.pathname.replace(/\/$/, '')}/write`;
  to.search = String(new URLSearchParams({ db: database, precision: 'ms' }));
  [to.username, to.password] = ['', ''];
  return to;
};

/** Writes to InfluxDB 1.x, and to what accepts its `/write`. */
export const writerV1 = (settings: Settings, clock: Clock): InfluxWriter => {
  const { url, tls, database, username, password } = settings;
  const target: Target = { url, into: `database "${database}"`, credentials: 'username and its password' };
  const login = Buffer.from(`${username}:${password ?? ''}`).toString('base64');
  const request = {
    url: writeUrl(settings),
    headers: username === null ? {} : { authorization: `Basic ${login}` },
    tls: tlsOptions(tls),
  };

  const send = async (lines: readonly string[], signal: AbortSignal): Promise<WriteOutcome> => {
    try {
      const { status, text } = await post({ ...request, body: lines.join('\n'), signal });
      return status === WRITTEN ? { kind: 'ok' } : refusal(status, text, target);
    } catch (error) {
      return unreachable(error, target);
    }
  };

  const write = (lines: readonly string[]) => withinLimit(clock, target, (signal) => send(lines, signal));

  return {
    write: (points) => write(points.map(lineOf)),
    // An empty batch passes the checks of address, database and permission, and writes nothing.
    check: async () => {
      const outcome = await write([]);
      return outcome.kind === 'ok' ? { ok: true } : { ok: false, reason: outcome.reason };
    },
  };
};
