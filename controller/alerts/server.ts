import { freshness } from './freshness.ts';
import type { Rule } from './rule-index.ts';
import type { RuleState, SubjectStates } from './state.ts';
import { type Change, fire } from './step.ts';
import { move } from './transitions.ts';
import { listed } from './words.ts';

/** What one attempt says of its server. */
export interface Evidence {
  server: string;
  device: string;
  run: string;
  token: number;
  time_ms: number;
  at_ms: number;
  reached: boolean;
}

export interface ServerVerdict {
  reason: 'late' | 'repeated' | 'evaluated';
  states: SubjectStates;
  changes: Change[];
  /** Devices that were suspected in its place until now: what they are held for is over, and was not the server's fault. */
  cleared: string[];
}

/** So many devices are remembered to be at fault themselves. */
const MAX_DISPROVED = 1000;

/** Whether `server-down` is pending or firing for a server, and may be why this device fails. */
export const suspicion = (
  { rules, disproved }: SubjectStates,
  rule: Rule,
  device: string,
): 'none' | 'may-be-down' | 'down' => {
  if (disproved.includes(device)) return 'none';
  const state = rules[rule.name]?.state;
  if (state === 'firing') return 'down';
  return state === 'pending' ? 'may-be-down' : 'none';
};

const inWords = (suspects: readonly string[], server: string, breaches: number): string => {
  const who = suspects.length === 1 ? listed(suspects) : `${listed(suspects)}, one after another,`;
  return `${who} could not reach ${server}${suspects.length < breaches ? `; it takes ${breaches}` : ''}`;
};

const unreached = (states: SubjectStates, rule: Rule, evidence: Evidence): Omit<ServerVerdict, 'reason'> => {
  const { server, device, run, time_ms, token, at_ms } = evidence;
  if (states.disproved.includes(device)) return { states, changes: [], cleared: [] };
  const known = states.rules[rule.name];
  const isMore = !states.suspects.includes(device) && states.suspects.length < rule.breaches;
  const suspects = isMore ? [...states.suspects, device] : states.suspects;
  const recent = [...(known?.recent ?? []), { value: 0, time_ms, run, server, breach: true }].slice(-rule.of);
  const reason = inWords(suspects, server, rule.breaches);
  const isOpen = known?.state === 'pending' || known?.state === 'firing';
  const entry: RuleState = {
    ...(isOpen
      ? known
      : {
          state: move(known?.state ?? 'ok', 'pending'),
          since_ms: at_ms,
          alert: null,
          hold: null,
          retested: false,
          median: null,
        }),
    print: rule.print,
    recent,
    reason,
  };
  const fired =
    entry.state === 'pending' && suspects.length >= rule.breaches
      ? fire(entry, rule, { subject: server, token, at_ms, fired: states.fired })
      : { entry, change: null };
  return {
    states: {
      ...states,
      suspects,
      rules: { ...states.rules, [rule.name]: fired.entry },
      fired: states.fired + (fired.change === null ? 0 : 1),
    },
    changes: fired.change === null ? [] : [fired.change],
    cleared: [],
  };
};

/** The others that were suspects have failed all the time while this device got through. */
const disprovedBy = (device: string, { suspects, disproved }: SubjectStates): string[] =>
  suspects.length === 0 && !disproved.includes(device)
    ? disproved
    : [...disproved, ...suspects].filter((name) => name !== device).slice(-MAX_DISPROVED);

const reached = (states: SubjectStates, rule: Rule, evidence: Evidence): Omit<ServerVerdict, 'reason'> => {
  const { server, device, run, time_ms, at_ms } = evidence;
  const { [rule.name]: known, ...others } = states.rules;
  const clean = { ...states, suspects: [], disproved: disprovedBy(device, states) };
  if (known?.state === 'pending') {
    move(known.state, 'ok');
    return { states: { ...clean, rules: others }, changes: [], cleared: states.suspects };
  }
  if (known?.state !== 'firing' || known.alert === null) return { states: clean, changes: [], cleared: [] };
  const reason = `${device} reached ${server}`;
  const { alert } = known;
  const recent = [{ value: 1, time_ms, run, server, breach: false }];
  const entry: RuleState = { ...known, state: move(known.state, 'resolved'), since_ms: at_ms, recent, reason };
  const change: Change = { kind: 'resolved', rule: rule.name, alert, value: 1, server, run, reason };
  return { states: { ...clean, rules: { ...others, [rule.name]: entry } }, changes: [change], cleared: [] };
};

/**
 * `server-down`, and one attempt: it fires when so many different devices, one after another, could not reach the server, and is over as soon
 * as one does. One device alone never makes it fire, however often it tries: that is more likely the device. So it is of those that could
 * not reach it when others could: they are no suspects again before they have reached it themselves.
 */
export const evaluateServer = (states: SubjectStates, rule: Rule, evidence: Evidence): ServerVerdict => {
  const fresh = freshness(states, evidence.token, [`${evidence.run}/${evidence.reached}`]);
  if (fresh.reason !== 'new') return { reason: fresh.reason, states, changes: [], cleared: [] };
  const since = { ...states, token: evidence.token, seen: fresh.seen, at_ms: evidence.at_ms };
  const verdict = evidence.reached ? reached(since, rule, evidence) : unreached(since, rule, evidence);
  return { reason: 'evaluated', ...verdict };
};
