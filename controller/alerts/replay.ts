import { judge } from './judge.ts';
import { medianOf } from './median.ts';
import type { Subject } from './notice.ts';
import type { Rule } from './rule-index.ts';
import { type Evidence, evaluateServer } from './server.ts';
import { NO_STATES, type RuleState, type SubjectStates } from './state.ts';
import { type Change, type Sample, step } from './step.ts';
import type { ReplayedAlert } from './stored-alert.ts';

/** What changed, in order, as alerts from their beginning to their end. */
const alertsOf = (subject: Subject, changes: readonly { change: Change; at_ms: number }[]): ReplayedAlert[] => {
  const alerts = new Map<string, ReplayedAlert>();
  for (const { change, at_ms } of changes) {
    const { kind, alert, reason, run } = change;
    const known = alerts.get(alert.id);
    if (kind === 'firing') {
      const firing = { firing_ms: at_ms, firing_reason: reason, run };
      alerts.set(alert.id, { subject, ...firing, resolved_ms: null, resolved_reason: null });
    } else if (known !== undefined) alerts.set(alert.id, { ...known, resolved_ms: at_ms, resolved_reason: reason });
  }
  return [...alerts.values()];
};

/** One value of a device's history, oldest first. `zero`: it stands for a test that was never measured, and is in no median. */
export type PastValue = Pick<Sample, 'value' | 'time_ms' | 'run' | 'server' | 'cause'> & { zero: boolean };

/** Medians of what was really measured in the time before; to be asked in the order of time. */
class PastMedians {
  readonly #measured: readonly PastValue[];
  readonly #over_ms: number;
  #from = 0;
  #to = 0;

  constructor(history: readonly PastValue[], over_ms: number) {
    this.#measured = history.filter(({ zero }) => !zero);
    this.#over_ms = over_ms;
  }

  before(time_ms: number): number | null {
    const timeAt = (index: number) => this.#measured[index]?.time_ms ?? Number.POSITIVE_INFINITY;
    while (timeAt(this.#to) < time_ms) this.#to++;
    while (timeAt(this.#from) < time_ms - this.#over_ms) this.#from++;
    return medianOf(this.#measured.slice(this.#from, this.#to).map(({ value }) => value));
  }
}

/**
 * When a rule would have fired for a device since then, had it been in force. Each value counts when it was measured, not when it came. Nothing
 * holds an alert: neither a server that was down nor a confirming run.
 */
export const replayDevice = (
  rule: Rule,
  device: string,
  history: readonly PastValue[],
  since_ms: number,
): ReplayedAlert[] => {
  const unheld: Rule = { ...rule, retest: false };
  const { condition, where } = rule;
  const changes: { change: Change; at_ms: number }[] = [];
  const medians = condition.kind === 'drop' ? new PastMedians(history, condition.over_ms) : null;
  let known: RuleState | null = null;
  for (const past of history) {
    if (past.time_ms < since_ms || (where.server !== null && past.server !== where.server)) continue;
    const median: number | null = medians === null ? null : (medians.before(past.time_ms) ?? known?.median ?? null);
    const judged = judge(rule, past.value, median);
    if (judged === null) continue;
    const moment = { subject: device, token: 0, at_ms: past.time_ms, fired: changes.length };
    const { entry, change } = step(known, unheld, { ...past, suspect: null }, judged, moment);
    known = entry;
    if (change !== null) changes.push({ change, at_ms: past.time_ms });
  }
  return alertsOf({ kind: 'device', name: device }, changes);
};

/** The same of `server-down`, for a server. */
export const replayServer = (rule: Rule, server: string, history: readonly Evidence[]): ReplayedAlert[] => {
  const changes: { change: Change; at_ms: number }[] = [];
  let states: SubjectStates = NO_STATES;
  for (const evidence of history) {
    const verdict = evaluateServer(states, rule, evidence);
    states = verdict.states;
    for (const change of verdict.changes) changes.push({ change, at_ms: evidence.at_ms });
  }
  return alertsOf({ kind: 'server', name: server }, changes);
};
