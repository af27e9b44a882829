import { describe, expect, it } from 'vitest';
import { newState } from '../../../controller/slots/configuration.ts';
import { newRun } from '../../../controller/slots/queue.ts';
import { addServer, changeServer } from '../../../controller/slots/servers.ts';
import type { Lease } from '../../../controller/slots/state/hold.ts';
import type { Server } from '../../../controller/slots/state/server.ts';
import {
  allows,
  become,
  IllegalTransition,
  RUN_TRANSITIONS,
  type RunState,
  SERVER_TRANSITIONS,
  type ServerState,
} from '../../../controller/slots/transitions.ts';
import { request, row } from '../../helpers/slot-bench.ts';

const RUN_STATES = Object.keys(RUN_TRANSITIONS) as RunState[];
const SERVER_STATES = Object.keys(SERVER_TRANSITIONS) as ServerState[];
const pairs = <T>(states: T[]): [T, T][] => states.flatMap((from) => states.map((to): [T, T] => [from, to]));

const SLOTS = newState({ last_token: 0, random: () => 0.5 });

const runIn = (state: RunState) => ({ ...newRun(SLOTS, request('r1', 'd1'), 0), state });

const lease: Lease = {
  run: newRun(SLOTS, request('r1', 'd1'), 0),
  row: row(1, 'r1', 'd1'),
  expected_ms: 10_000,
  granted_at: 0,
  deadline: 31_000,
  start_sent_at: 0,
  started: false,
  asking: true,
  over: null,
};

/** What makes a server do this, and nothing else. */
const FACTS: Record<ServerState, Partial<Parameters<typeof changeServer>[2]>> = {
  idle: {},
  leased: { lease },
  resting: {
    quarantine: {
      ...{ until: 50_000, endpoint: 's1', row: row(1, 'r1', 'd1'), probe_at: 5000, probing: false, owner: null },
    },
  },
  'busy-elsewhere': { busy: { until: 5000, probe_at: 5000 } },
  suppressed: { suppressed: true },
  maintenance: { maintenance: true },
};
const NOTHING = { lease: null, quarantine: null, on_deck: null, busy: null, suppressed: false, maintenance: false };

const serverIn = (state: ServerState) => {
  const slots = newState({ last_token: 0, random: () => 0.5 });
  const server: Server = addServer(slots, { server: 's1', endpoint: 's1', host_group: null, max_bitrate: null }, false);
  Object.assign(server, FACTS[state], { state });
  return { slots, server };
};

describe('a run', () => {
  it.each(pairs(RUN_STATES))('%s → %s is done when the table has it, and refused when not', (from, to) => {
    const run = runIn(from);
    if (allows(RUN_TRANSITIONS, from, to)) {
      become(run, to);
      expect(run.state).toBe(to);
    } else {
      expect(() => become(run, to)).toThrow(IllegalTransition);
      expect(run.state).toBe(from);
    }
  });

  it('says which run it is, from where and to where, when it is refused', () => {
    expect(() => become(runIn('waiting'), 'running')).toThrow(
      "run r1 can't go from waiting to running: this is a defect of perfleet",
    );
  });

  it('can get to every state, and from every one to an end', () => {
    const reachable = new Set<RunState>(['new']);
    for (const from of reachable) for (const to of Object.keys(RUN_TRANSITIONS[from])) reachable.add(to as RunState);
    expect([...reachable].sort()).toEqual([...RUN_STATES].sort());
    const ends = (from: RunState, seen: RunState[] = []): boolean =>
      from === 'ended' ||
      from === 'released' ||
      (Object.keys(RUN_TRANSITIONS[from]) as RunState[]).some((to) => !seen.includes(to) && ends(to, [...seen, from]));
    expect(RUN_STATES.filter((state) => !ends(state))).toEqual([]);
  });

  it('is started only after its device was ready, or after a restart', () => {
    expect(RUN_STATES.filter((from) => allows(RUN_TRANSITIONS, from, 'starting'))).toEqual(['new', 'ready', 'found']);
  });
});

describe('a server', () => {
  it.each(pairs(SERVER_STATES).filter(([from, to]) => from !== to || to === 'leased'))(
    '%s → %s is done when the table has it, and refused when not',
    (from, to) => {
      const { slots, server } = serverIn(from);
      const change = () => changeServer(slots, server, { ...NOTHING, ...FACTS[to] });
      if (allows(SERVER_TRANSITIONS, from, to)) {
        change();
        expect(server.state).toBe(to);
      } else {
        expect(change).toThrow(`server s1 can't go from ${from} to ${to}`);
        expect(server.state).toBe(from);
      }
    },
  );

  it('that is leased or rests is never given to anybody', () => {
    expect(allows<ServerState>(SERVER_TRANSITIONS, 'leased', 'leased')).toBe(false);
    expect(allows<ServerState>(SERVER_TRANSITIONS, 'resting', 'leased')).toBe(false);
  });
});
