import type { Measurement } from '../../controller/results/measurement.ts';
import type { Store } from '../../controller/store/store.ts';

/** Stores a run that succeeded at its first attempt, a minute after its grant; its measurements began a second after one another. Returns them. */
export const storeRun = (
  store: Store,
  { device, token, at_ms: granted_ms }: { device: string; token: number; at_ms: number },
  measurements: readonly Measurement[],
): { measurement: Measurement; time_ms: number }[] => {
  const run = `r-${token}`;
  const at_ms = granted_ms + 60_000;
  const timed = measurements.map((measurement, index) => ({ measurement, time_ms: granted_ms + index * 1000 }));
  const times = { requested_at_ms: granted_ms, not_before_ms: granted_ms, window_end_ms: at_ms };
  const origin = { server: null, origin: 'demand', night: null } as const;
  const result = {
    outputs: [],
    moved_bytes: 1,
    measurements: timed,
    failures: [],
    warnings: [],
    system: [],
    points: [],
  };
  const end = { outcome: 'success', reason: null, server: 'server-0', finished_at_ms: at_ms, duration_s: 60 } as const;
  const { runs, results } = store;
  store.deferred(() => {
    runs.add([{ run, device, organization: 'organization-0', ...origin, ...times, tests: [] }]);
    runs.noteGrant({ token, run, server: 'server-0', via: 'agent', at_ms: granted_ms, tests: [] });
    results.store({
      run,
      token,
      at_ms,
      ...result,
      change: { kind: 'final', ending: { ...end, zeros: [], points: [] } },
    });
  });
  return timed;
};
