import { HttpError, InfluxDB } from '@influxdata/influxdb-client';
import type { Clock } from '../../broker/clock.ts';
import type { InfluxSettings } from '../config/settings.ts';
import { lineOf } from './line.ts';
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

type Settings = Extract<InfluxSettings, { version: 2 }>;

/** In an answer of InfluxDB 2. */
const NOTHING_TO_WRITE = /"code"\s*:\s*"invalid"/;

/** Writes to InfluxDB 2.x and 3.x, and to what accepts `/api/v2/write`, such as VictoriaMetrics. */
export const writerV2 = (settings: Settings, clock: Clock): InfluxWriter => {
  const { url, tls, organization, bucket, token } = settings;
  const client = new InfluxDB({ url, token, timeout: SILENCE_LIMIT_MS, transportOptions: tlsOptions(tls) });
  const target: Target = {
    url,
    into: `bucket "${bucket}" in organization "${organization}"`,
    credentials: 'token_file or token_env',
  };

  /** The client's own buffer and retries lose points: here it holds one batch, which is sent once. */
  const flush = async (lines: string[]): Promise<WriteOutcome> => {
    const api = client.getWriteApi(organization, bucket, 'ms', {
      batchSize: lines.length + 1,
      maxBatchBytes: Number.MAX_SAFE_INTEGER,
      flushInterval: 0,
      maxRetries: 0,
      // Passing the error on keeps the client from printing it.
      writeFailed: (error) => Promise.reject(error),
    });
    try {
      api.writeRecords(lines);
      await api.flush();
      return { kind: 'ok' };
    } catch (error) {
      // Without an answer's text the client has a message of its own.
      return error instanceof HttpError
        ? refusal(error.statusCode, error.body || error.message, target)
        : unreachable(error, target);
    }
  };

  const send = (lines: string[]) => withinLimit(clock, target, () => flush(lines));

  return {
    write: (points) => send(points.map(lineOf)),
    // A comment passes the checks of address, bucket and token; InfluxDB 2 then answers 400 because nothing is to be written.
    check: async () => {
      const outcome = await send(['# perfleet']);
      if (outcome.kind === 'ok' || (outcome.kind === 'rejected' && NOTHING_TO_WRITE.test(outcome.reason)))
        return { ok: true };
      return { ok: false, reason: outcome.reason };
    },
  };
};
