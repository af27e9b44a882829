import type { Log } from '../../broker/log.ts';
import type { InfluxSettings } from '../config/settings.ts';
import { type DrainParts, OutboxDrain } from './drain.ts';
import { writerV1 } from './writer-v1.ts';
import { writerV2 } from './writer-v2.ts';

/** The way to the InfluxDB of the settings. `check()` says in the log what is wrong with it, also when there is nothing to write. */
export interface InfluxDrain {
  drain: OutboxDrain;
  check(): Promise<void>;
}

/** Null when there is no InfluxDB in the settings. Starts nothing. */
export const influxDrain = (
  settings: InfluxSettings | null,
  { log, ...parts }: Omit<DrainParts, 'writer' | 'log'> & { log: Log },
): InfluxDrain | null => {
  if (settings === null) return null;
  const writer = settings.version === 1 ? writerV1(settings, parts.clock) : writerV2(settings, parts.clock);
  const plainLog = {
    info: (message: string) => log.info({}, message),
    warn: (message: string) => log.warn({}, message),
  };
  return {
    drain: new OutboxDrain({ ...parts, writer, log: plainLog }),
    check: async () => {
      const health = await writer.check();
      if (health.ok) log.info({ url: new URL(settings.url).origin }, 'InfluxDB can be written');
      else log.warn({}, health.reason);
    },
  };
};
