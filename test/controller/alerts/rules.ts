import type { AlertOutcome, AlertWrite } from '../../../controller/alerts/write.ts';
import { EVERYTHING } from '../../../controller/config/built-in-alerts.ts';
import type { AlertSettings } from '../../../controller/config/settings.ts';
import type { Measurement } from '../../../controller/results/measurement.ts';

export const T0 = Date.parse('2026-11-22T02:00:00Z');
export const MINUTE_MS = 60_000;
export const DAY_MS = 86_400_000;

/** `slow`: a download below 20 Mbit/s in 2 of 3 runs, clear at 25, unless told otherwise. */
export const rule = (changes: Partial<AlertSettings> = {}): AlertSettings => ({
  name: 'slow',
  subject: 'device',
  metric: 'tcp.download.bits_per_second',
  condition: { kind: 'below', threshold: 20e6, clear: 25e6 },
  breaches: 2,
  of: 3,
  severity: 'warning',
  retest: false,
  where: EVERYTHING,
  notify: ['noc'],
  ...changes,
});

export const download = (bits_per_second: number, more: Partial<Measurement> = {}): Measurement => ({
  ...{ test: 'tcp-download', protocol: 'tcp', direction: 'download', bytes: 1000, seconds: 10, bits_per_second },
  ...more,
});

/** A run's only attempt, with its measurements, which reached its server: the token says when. One minute for each. */
export const write = (token: number, measurements: Measurement[], changes: Partial<AlertWrite> = {}): AlertWrite => {
  const time_ms = T0 + token * MINUTE_MS;
  return {
    ...{ run: `r-${token}`, device: 'ap-1', server: 'server-0', token, at_ms: time_ms + 30_000, reached: true },
    measurements: measurements.map((measurement) => ({ measurement, time_ms })),
    end: { outcome: 'success', reason: null, time_ms, zeros: [] },
    ...changes,
  };
};

/** A run that could not reach its server: it failed, with a zero. */
export const unreached = (token: number, changes: Partial<AlertWrite> = {}): AlertWrite => {
  const time_ms = T0 + token * MINUTE_MS;
  const zeros = [{ measurement: download(0, { bytes: 0, seconds: 0 }), time_ms }];
  return write(token, [], {
    reached: false,
    end: { outcome: 'failed', reason: 'unreachable', time_ms, zeros },
    ...changes,
  });
};

export const NOTHING: AlertOutcome = { notices: 0, retests: [] };
