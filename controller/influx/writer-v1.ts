import { FieldType, InfluxDB, type ISchemaOptions } from 'influx';
import { z } from 'zod';
import type { Clock } from '../../broker/clock.ts';
import type { InfluxSettings } from '../config/settings.ts';
import { FIELDS, type Point, TAGS } from './points.ts';
import {
  type InfluxWriter,
  refusal,
  SILENCE_LIMIT_MS,
  type Target,
  tlsOptions,
  unreachable,
  type WriteOutcome,
  withinLimit,
} from './writer.ts';

type Settings = Extract<InfluxSettings, { version: 1 }>;

/** The client leaves a host alone for a while after an error; when to try again is the outbox's business. */
const NO_BACKOFF = { getDelay: () => 0, next: () => NO_BACKOFF, reset: () => NO_BACKOFF };

const typed = (names: readonly string[], type: FieldType) => Object.fromEntries(names.map((name) => [name, type]));

/** Without a schema the client writes every number as a float. */
const SCHEMA: ISchemaOptions[] = Object.entries(FIELDS).map(([measurement, { floats, integers, strings }]) => ({
  measurement,
  tags: [...TAGS],
  fields: {
    ...typed(floats, FieldType.FLOAT),
    ...typed(integers, FieldType.INTEGER),
    ...typed(strings, FieldType.STRING),
  },
}));

const connect = ({ url, tls, database, username, password }: Settings): InfluxDB => {
  const { protocol, hostname, port, pathname } = new URL(url);
  const secure = protocol === 'https:';
  return new InfluxDB({
    protocol: secure ? 'https' : 'http',
    host: hostname,
    port: port === '' ? (secure ? 443 : 80) : Number(port),
    path: pathname.replace(/\/$/, ''),
    options: secure ? tlsOptions(tls) : {},
    database,
    // Without a user name the client would send root:root; an empty one is ignored where there are no users, and refused where there are.
    username: username ?? '',
    password: password ?? '',
    schema: SCHEMA.map((schema) => ({ ...schema, database })),
    pool: { maxRetries: 0, requestTimeout: SILENCE_LIMIT_MS, backoff: NO_BACKOFF },
  });
};

/** The error of the client when InfluxDB answered; it reports a status from 500 on without the answer. */
const Refused = z.object({ message: z.string(), res: z.object({ statusCode: z.int() }) });

/** Writes to InfluxDB 1.x, and to what accepts its `/write`. */
export const writerV1 = (settings: Settings, clock: Clock): InfluxWriter => {
  const client = connect(settings);
  const target: Target = {
    url: settings.url,
    into: `database "${settings.database}"`,
    credentials: 'username and influx.password_file',
  };

  const send = async (points: readonly Point[]): Promise<WriteOutcome> => {
    try {
      await client.writePoints(
        points.map(({ measurement, tags, floats, integers, strings, time_ms }) => ({
          measurement,
          tags,
          fields: { ...floats, ...integers, ...strings },
          timestamp: time_ms,
        })),
        { precision: 'ms' },
      );
      return { kind: 'ok' };
    } catch (error) {
      const refused = Refused.safeParse(error);
      return refused.success
        ? refusal(refused.data.res.statusCode, refused.data.message, target)
        : unreachable(error, target);
    }
  };

  const write = (points: readonly Point[]) => withinLimit(clock, target, send(points));

  return {
    write,
    // An empty batch passes the checks of address, database and permission, and writes nothing.
    check: async () => {
      const outcome = await write([]);
      return outcome.kind === 'ok' ? { ok: true } : { ok: false, reason: outcome.reason };
    },
  };
};
