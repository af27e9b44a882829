import type { AlertNotice } from '../../controller/alerts/notice.ts';
import type { StateChange } from './rules.ts';

/** What a receiver was told, in the order in which it heard it. */
export interface Told {
  receiver: string;
  notices: readonly AlertNotice[];
}

/** What the store and one receiver say of the same alerts. Each list should be empty. */
export interface NoticeDifference {
  /** Changes that it never heard of. */
  untold: string[];
  /** Changes that it was told under a second id, an id with another text, and what never happened. */
  doubled: string[];
  /** What came before what happened earlier to the same alert, and what was said again after something else. */
  disordered: string[];
  /** How many notices there were, without repetitions. */
  notices: number;
  /** How often one was said again, with the same id: it was not certain that it had arrived. */
  repeated: number;
}

const textOf = ({ device, rule, state, run }: StateChange): string => `${device} ${rule} ${state} ${run}`;

const changeOf = ({ subject, rule, state, run }: AlertNotice): StateChange => ({
  device: subject.name,
  rule,
  state,
  run: run ?? '',
});

/** Compares what one receiver heard with what happened: `expected` has the changes of each alert in order. */
export const compareNotices = (expected: readonly StateChange[], { receiver, notices }: Told): NoticeDifference => {
  const places = new Map(expected.map((change, place) => [textOf(change), place]));
  const bodies = new Map<string, string>();
  const heard = new Set<string>();
  const latest = new Map<string, number>();
  const found: NoticeDifference = { untold: [], doubled: [], disordered: [], notices: 0, repeated: 0 };
  for (const [index, notice] of notices.entries()) {
    const [change, body] = [changeOf(notice), JSON.stringify(notice)];
    const text = textOf(change);
    const shown = `${receiver}: ${text} (${notice.id})`;
    const before = bodies.get(notice.id);
    if (before !== undefined) {
      found.repeated += 1;
      if (before !== body) found.doubled.push(shown);
      if (notices[index - 1]?.id !== notice.id) found.disordered.push(shown);
      continue;
    }
    bodies.set(notice.id, body);
    const place = places.get(text);
    if (place === undefined || heard.size === heard.add(text).size) {
      found.doubled.push(shown);
      continue;
    }
    const alert = `${change.device} ${change.rule}`;
    if (place < (latest.get(alert) ?? 0)) found.disordered.push(shown);
    latest.set(alert, place);
  }
  found.notices = bodies.size;
  found.untold = [...places.keys()].filter((text) => !heard.has(text)).map((text) => `${receiver}: ${text}`);
  return found;
};

/** All of them together. */
export const compareAllNotices = (expected: readonly StateChange[], told: readonly Told[]): NoticeDifference => {
  const found = told.map((one) => compareNotices(expected, one));
  return {
    untold: found.flatMap(({ untold }) => untold),
    doubled: found.flatMap(({ doubled }) => doubled),
    disordered: found.flatMap(({ disordered }) => disordered),
    notices: found.reduce((sum, { notices }) => sum + notices, 0),
    repeated: found.reduce((sum, { repeated }) => sum + repeated, 0),
  };
};
