/** Bounds of the wait between two attempts to connect, in milliseconds. */
export interface ReconnectBounds {
  min_ms: number;
  max_ms: number;
}

/**
 * How long to wait before the next attempt after `failures` failed ones (0 for the first), in milliseconds: anything between 0 and a
 * ceiling that doubles from `min_ms` to `max_ms` ("full jitter"), so that a fleet does not come back in step. `random` is in [0, 1).
 */
export const reconnectDelayMs = (failures: number, { min_ms, max_ms }: ReconnectBounds, random: number): number =>
  random * Math.min(max_ms, min_ms * 2 ** failures);
