/**
 * Whether one more run fits into a device's byte budget of the month: `used` is what it has moved so far, `estimate` what the run will
 * move. A budget that is used up admits nothing, also when nothing is known of the run. Null: there is no limit.
 */
export const budgetVerdict = ({
  budget,
  used,
  estimate,
}: {
  budget: number | null;
  used: number;
  estimate: number;
}): { ok: true } | { ok: false; reason: 'over-budget' } =>
  budget === null || (used < budget && used + estimate <= budget) ? { ok: true } : { ok: false, reason: 'over-budget' };
