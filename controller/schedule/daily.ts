/** Whether a device may have one more run today: `runs_today` are those that it has had since `dayStart`. Null: there is no limit. */
export const dailyVerdict = ({
  limit,
  runs_today,
}: {
  limit: number | null;
  runs_today: number;
}): { ok: true } | { ok: false; reason: 'daily-limit' } =>
  limit === null || runs_today < limit ? { ok: true } : { ok: false, reason: 'daily-limit' };
