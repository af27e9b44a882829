/**
 * An alert: one rule about one device or server.
 *
 * - `ok`: nothing is wrong, as far as the rule can tell.
 * - `pending`: the newest values were bad, but not often enough; or often enough, and it is held: a confirming run is on its way, or the
 *   server may be at fault. Nobody is told.
 * - `firing`: people were told. It has an id, which is never used again.
 * - `resolved`: people were told that it is over. As `ok`, but it can be shown what was.
 *
 * ```text
 * ok, resolved ── a bad value ──────────────────────────▶ pending
 * pending ─────── N of the last M bad, and no hold ─────▶ firing
 * pending ─────── none of the last M bad ───────────────▶ ok
 * pending ─────── the confirming run was not bad ───────▶ ok
 * firing ──────── a value at `clear`, less than N bad ──▶ resolved
 * pending ─────── its rule, subject or check is gone ───▶ ok
 * firing ──────── the same ─────────────────────────────▶ resolved
 * ```
 *
 * The invariant: people are told `firing` once and `resolved` once for each id, in this order. It holds because only the step into `firing`
 * makes an id, only the step out of it ends one, and there is one way in and one way out. A value between threshold and `clear` is in none of
 * the lines above that begin with `ok` or `firing`: it changes nothing that people are told.
 */
export type AlertState = 'ok' | 'pending' | 'firing' | 'resolved';

const NEXT: Record<AlertState, readonly AlertState[]> = {
  ok: ['pending'],
  pending: ['ok', 'firing'],
  firing: ['resolved'],
  resolved: ['pending'],
};

/** Throws on a step that is not in the table: a defect, and nothing of it may be written. */
export const move = <To extends AlertState>(from: AlertState, to: To): To => {
  if (!NEXT[from].includes(to)) throw new Error(`an alert can't go from ${from} to ${to}: this is a defect`);
  return to;
};
