/** What a run is doing in the slots: the prose is in slots.ts. */
export type RunState =
  | 'new'
  | 'waiting'
  | 'held'
  | 'asked'
  | 'ready'
  | 'found'
  | 'starting'
  | 'running'
  | 'stopping'
  | 'released'
  | 'ended';

/**
 * What a server does. `busy-elsewhere`: it was testing somebody outside of perfleet when it was last asked. `suppressed` and
 * `maintenance`: nobody gets it now, and nobody has it.
 */
export type ServerState = 'idle' | 'leased' | 'resting' | 'busy-elsewhere' | 'suppressed' | 'maintenance';

/** From, to, and when. What is not here can't happen. */
type Table<State extends string> = Record<State, Partial<Record<State, string>>>;

export const RUN_TRANSITIONS = {
  new: {
    waiting: 'it is submitted',
    ended: 'it is submitted, and none of its servers is ours',
    found: 'after a restart: its lease is on disk, and it is not known whether its start was sent',
    starting: 'after a restart: its granted lease is on disk',
    stopping: 'after a restart: its lease is on disk, and nobody waits for it',
  },
  waiting: {
    asked: 'it takes a seat on deck, and its device is asked to prepare',
    held: 'a suppression names it, or all of its servers',
    ended: 'window over, device away, cancelled, skipped, or its device was silent or declined too often',
  },
  held: {
    waiting: 'the suppression is lifted',
    ended: 'window over, cancelled, skipped, or a person asked for it',
  },
  asked: {
    ready: 'its device says that it is ready',
    waiting: 'its device is away, silent, restarted or declined for now; or the seat is withdrawn',
    ended: 'refused, window over, cancelled, skipped',
  },
  ready: {
    starting: 'the slot is free: granted',
    asked: 'its ready was not repeated',
    waiting: 'its device is away, restarted or declined for now; or the seat is withdrawn',
    ended: 'refused, window over, cancelled, skipped',
  },
  found: {
    starting: 'its turn has come: its start is sent, perhaps again',
    stopping: 'cancelled',
    released: 'its result came first',
  },
  starting: {
    running: 'its agent says started',
    waiting: 'its agent declines the start and never began',
    released: 'finished, or the result',
    stopping: 'cancelled',
    ended: 'interrupted, or overdue',
  },
  running: {
    released: 'finished, or the result',
    stopping: 'cancelled',
    ended: 'interrupted, or overdue',
  },
  stopping: {
    ended: 'its agent says that the token is dead, or the deadline passed: the slot is free',
  },
  released: {},
  ended: {},
} as const satisfies Table<RunState>;

export const SERVER_TRANSITIONS = {
  idle: {
    leased: 'a start is sent',
    resting: 'a stranger holds its slot',
    'busy-elsewhere': 'a result says that it tested somebody else',
    suppressed: 'a suppression names it',
    maintenance: 'planned maintenance begins',
  },
  leased: {
    idle: 'finished, the result, or declined with the current token',
    resting: 'an end that was not clean, or a stranger that came meanwhile',
    'busy-elsewhere': 'free again, and it tests somebody else',
    suppressed: 'free again, and suppressed meanwhile',
    maintenance: 'free again, and in maintenance',
  },
  resting: {
    idle: 'the rest is over',
    'busy-elsewhere': 'the rest is over, and it tests somebody else',
    suppressed: 'the rest is over, and it is suppressed',
    maintenance: 'the rest is over, and it is in maintenance',
  },
  'busy-elsewhere': {
    idle: 'the wait is over, a probe finds it free, or a result says so',
    leased: 'a lease found on disk is asked in its turn',
    resting: 'a stranger holds its slot',
    suppressed: 'the wait is over, and it is suppressed',
    maintenance: 'the wait is over, and it is in maintenance',
  },
  suppressed: {
    idle: 'the suppression is lifted',
    leased: 'a lease found on disk is asked in its turn',
    resting: 'a stranger holds its slot',
    'busy-elsewhere': 'a result says that it tested somebody else',
    maintenance: 'the suppression is lifted during maintenance',
  },
  maintenance: {
    idle: 'the maintenance is over',
    leased: 'a lease found on disk is asked in its turn',
    resting: 'a stranger holds its slot',
    'busy-elsewhere': 'a result says that it tested somebody else',
    suppressed: 'a suppression names it',
  },
} as const satisfies Table<ServerState>;

/** Thrown when the code tries what the tables do not have: a defect, never a matter of what was heard. */
export class IllegalTransition extends Error {
  constructor(what: 'run' | 'server', name: string, from: string, to: string) {
    super(`${what} ${name} can't go from ${from} to ${to}: this is a defect of perfleet`);
    this.name = 'IllegalTransition';
  }
}

/** Whether a table has this step. */
export const allows = <State extends string>(table: Table<State>, from: State, to: State): boolean =>
  table[from][to] !== undefined;

/** Changes what a run is doing: the only place that does. @throws IllegalTransition */
export const become = (run: { readonly request: { run: string }; state: RunState }, to: RunState): void => {
  if (!allows(RUN_TRANSITIONS, run.state, to)) throw new IllegalTransition('run', run.request.run, run.state, to);
  run.state = to;
};
