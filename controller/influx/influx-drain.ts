import type { Log } from '../../broker/log.ts';
import type { InfluxSettings } from '../config/settings.ts';
import { type DrainParts, OutboxDrain } from './drain.ts';
import type { InfluxWriter } from './writer.ts';
import { writerV1 } from './writer-v1.ts';
import { writerV2 } from './writer-v2.ts';

/** The drain to the InfluxDB of the settings; null without one. Says once in the log, after the start, what is wrong with it. */
export const influxDrain = (
  settings: InfluxSettings | null,
  parts: Omit<DrainParts, 'writer' | 'log'> & { log: Log },
): OutboxDrain | null => {
  if (settings === null) return null;
  const writer: InfluxWriter =
    settings.version === 1 ? writerV1(settings, parts.clock) : writerV2(settings, parts.clock);
  const { log } = parts;
  return new OutboxDrain({
    ...parts,
    writer,
    log: { info: (message) => log.info({}, message), warn: (message) => log.warn({}, message) },
  });
};
