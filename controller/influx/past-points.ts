import type { PastRun } from '../store/history.ts';
import { measurementPoint, type Point, runPoint } from './points.ts';

/** The points of a stored run, exactly as they were when it was new: written once more they change nothing. */
export const pastPoints = (run: PastRun): Point[] => {
  const { measurements, outcome, granted_at_ms, finished_at_ms, first_granted_at_ms, requested_at_ms } = run;
  const points = measurements.flatMap(({ server, time_ms, measurement }) =>
    server === null ? [] : [measurementPoint({ ...run, server }, measurement, time_ms)],
  );
  if (outcome === null || finished_at_ms === null) return points;
  const queued_s = Math.max(0, (first_granted_at_ms ?? finished_at_ms) - requested_at_ms) / 1000;
  const end = { ...run, outcome, queued_s, duration_s: run.duration_s ?? 0 };
  return [...points, runPoint(end, granted_at_ms ?? finished_at_ms)];
};
